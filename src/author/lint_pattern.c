/* Mistakes that show in a pattern by itself.
 *
 * In the implementations in Python a pattern was anchored by putting "$" behind it, so of "a|b" the
 * first branch let through everything that began with "a" (control-protocol 7.10). Authors who knew
 * put anchors into some branches. Here the pattern is anchored as a whole: it is the author's
 * intent that is in doubt. */
#include <string.h>

#include "lint_parts.h"

static const struct regex_node *node_at(const struct regex *tree, size_t index)
{
    return index == REGEX_NONE ? NULL : &tree->nodes[index];
}

static const struct regex_node *last_child(const struct regex *tree,
                                           const struct regex_node *sequence)
{
    const struct regex_node *child = node_at(tree, sequence->child);

    while (child && child->next != REGEX_NONE)
        child = node_at(tree, child->next);
    return child;
}

/* The last one that is no anchor. */
static const struct regex_node *last_part(const struct regex *tree,
                                          const struct regex_node *sequence)
{
    const struct regex_node *last = NULL;

    for (const struct regex_node *child = node_at(tree, sequence->child); child;
         child = node_at(tree, child->next))
        last = child->kind == REGEX_END ? last : child;
    return last;
}

static bool begins_anchored(const struct regex *tree, const struct regex_node *branch)
{
    const struct regex_node *child = node_at(tree, branch->child);

    return child && child->kind == REGEX_START;
}

static bool ends_anchored(const struct regex *tree, const struct regex_node *branch)
{
    const struct regex_node *child = last_child(tree, branch);

    return child && child->kind == REGEX_END;
}

/* Of the branches at the top. */
struct branches {
    size_t count;
    size_t anchors; /* at both ends, together */
};

static struct branches count_branches(const struct regex *tree)
{
    const struct regex_node *root = node_at(tree, tree->root);
    struct branches branches = {0};

    for (const struct regex_node *branch = node_at(tree, root->child); branch;
         branch = node_at(tree, branch->next)) {
        branches.count++;
        branches.anchors += begins_anchored(tree, branch) + ends_anchored(tree, branch);
    }
    return branches;
}

void lint_alternation(struct lint *lint, const struct language *language, struct source where)
{
    const struct regex *tree = language_tree(language);
    const char *text = lint_quote(lint, span_from_string(language_text(language)));

    if (node_at(tree, tree->root)->kind != REGEX_CHOICE)
        return;
    struct branches branches = count_branches(tree);
    if (branches.anchors == 2 * branches.count)
        return;
    if (branches.anchors > 0)
        lint_warning(lint, where, "loose-alternation",
                     "in '%s' the '^' and '$' belong to single branches, but every branch has to "
                     "cover the complete text here; take them out and put the branches into one "
                     "group, (?:...), if that is what you mean",
                     text);
    else
        lint_warning(lint, where, "loose-alternation",
                     "the branches of '%s' stand in no group: here each covers the complete text, "
                     "while implementations in Python take whatever begins with the first one; "
                     "write (?:...) around them, which means the same everywhere",
                     text);
}

/* "=*" at the end, as if it were the shell's: any number of "=" and nothing else. */
void lint_glob(struct lint *lint, const struct language *language, struct source where)
{
    static const char marks[] = "=/:-_,.";
    const struct regex *tree = language_tree(language);
    const struct regex_node *node = node_at(tree, tree->root), *body;

    if (node->kind == REGEX_SEQUENCE)
        node = last_part(tree, node);
    body = node && node->kind == REGEX_REPEAT && node->max == REGEX_MANY
               ? node_at(tree, node->child)
               : NULL;
    if (!body || body->kind != REGEX_SET)
        return;
    for (const char *mark = marks; *mark; mark++) {
        struct byte_set one = {{0}};
        byte_set_add(&one, (unsigned char)*mark);
        if (memcmp(&body->set, &one, sizeof one) == 0)
            lint_warning(lint, where, "glob",
                         "the end of '%s' means '%c' any number of times, and nothing behind it; "
                         "for any text behind it write '%c.*'",
                         lint_quote(lint, span_from_string(language_text(language))), *mark, *mark);
    }
}

/* Texts that no client can send, or no line that tor writes. */
static void lint_impossible(struct lint *lint, const struct language *language, struct source where,
                            const char *what)
{
    const char *text = language_text(language);

    if (language_avoids(language, "[ -~]*"))
        lint_warning(lint, where, "never-matches",
                     "'%s' can match nothing: %s are printable ASCII and are anchored at both "
                     "ends",
                     lint_quote(lint, span_from_string(text)), what);
    else if (!language_rules_out(language, SPAN(" ")) && language_is_within(language, " .*"))
        lint_warning(lint, where, "never-matches",
                     "'%s' can match nothing: %s do not begin with a space; take it out",
                     lint_quote(lint, span_from_string(text)), what);
}

void lint_pattern(struct lint *lint, const struct language *language, struct source where,
                  const char *what)
{
    lint_alternation(lint, language, where);
    lint_glob(lint, language, where);
    lint_impossible(lint, language, where, what);
}

/* The last thing in the pattern, if it is a space and nothing else. */
static const struct regex_node *last_space(const struct regex *tree)
{
    const struct regex_node *node = node_at(tree, tree->root), *body;
    static const struct byte_set space = {{(uint64_t)1 << ' '}};

    while (node && (node->kind == REGEX_SEQUENCE || node->kind == REGEX_CAPTURE))
        node = last_part(tree, node);
    body = node && node->kind == REGEX_REPEAT ? node_at(tree, node->child) : node;
    while (body && body->kind == REGEX_SEQUENCE && body->child != REGEX_NONE &&
           node_at(tree, body->child)->next == REGEX_NONE)
        body = node_at(tree, body->child);
    return body && body->kind == REGEX_SET && memcmp(&body->set, &space, sizeof space) == 0 ? node
                                                                                            : NULL;
}

void lint_trailing_space(struct lint *lint, const struct language *language, struct source where)
{
    const struct regex_node *node = last_space(language_tree(language));

    if (!node)
        return;
    if (language_is_within(language, ".* "))
        lint_warning(lint, where, "trailing-space",
                     "'%s' wants a space at the end, so the command without it is refused; leave "
                     "it out: trailing spaces are ignored where no rule is for them",
                     lint_quote(lint, span_from_string(language_text(language))));
    else
        lint_note(lint, where, "trailing-space",
                  "the space at the end of '%s' is not needed: trailing spaces are ignored",
                  lint_quote(lint, span_from_string(language_text(language))));
}
