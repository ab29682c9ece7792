/* Thompson's construction from the tree of a pattern, and a search over pairs of state sets.
 *
 * A set of states stands for all ways in which the text so far can have been read. Anchors are
 * exact: the beginning is passed in the first set only, and what lies behind an end counts for
 * acceptance alone. Sizes and steps are bounded; where a bound is reached the answer is "unknown".
 * Bytes that no set of either pattern tells apart are tried once. */
#include "automaton.h"

#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "mem.h"

#define MAX_STATES 3000
#define MAX_SETS 200
#define FIRST_PAIRS 32 /* a power of 2 below the next */
#define MAX_PAIRS 4096
#define MAX_WORK 30000000

enum state_kind {
    STATE_SET,
    STATE_SPLIT, /* to `next`, and to `other` if that is not NO_STATE */
    STATE_START,
    STATE_END,
    STATE_ACCEPT,
    STATE_NEVER,
};

#define NO_STATE ((size_t)-1)

struct state {
    enum state_kind kind;
    size_t next;
    size_t other;
    size_t set;
};

struct automaton {
    struct state *states;
    size_t count;
    size_t words;          /* of a bit set of states */
    uint64_t *ends;        /* bit set: the states in which the text may end */
    struct byte_set *sets; /* different ones */
    size_t set_count;
    unsigned char classes[256]; /* of each byte: bytes that no set tells apart have the same */
    size_t first;
    bool matches_empty;
    bool is_too_large;
};

/* --- construction, from the end of the pattern to its beginning --- */

static size_t add_state(struct automaton *automaton, struct state state)
{
    if (automaton->count == MAX_STATES) {
        automaton->is_too_large = true;
        return 0;
    }
    if ((automaton->count & (automaton->count - 1)) == 0)
        automaton->states =
            mem_resize(automaton->states, 2 * automaton->count + 1, sizeof *automaton->states);
    automaton->states[automaton->count] = state;
    return automaton->count++;
}

static size_t intern_set(struct automaton *automaton, const struct byte_set *set)
{
    for (size_t i = 0; i < automaton->set_count; i++)
        if (memcmp(&automaton->sets[i], set, sizeof *set) == 0)
            return i;
    if (automaton->set_count == MAX_SETS) {
        automaton->is_too_large = true;
        return 0;
    }
    automaton->sets =
        mem_resize(automaton->sets, automaton->set_count + 1, sizeof *automaton->sets);
    automaton->sets[automaton->set_count] = *set;
    return automaton->set_count++;
}

/* What one construction works with. */
struct builder {
    struct automaton *automaton;
    const struct regex *regex;
    enum automaton_bound bound;
};

static size_t build(const struct builder *builder, size_t at, size_t next);

static size_t build_sequence(const struct builder *builder, const struct regex_node *node,
                             size_t next)
{
    const struct regex_node *nodes = builder->regex->nodes;
    size_t count = 0, index = 0;

    for (size_t child = node->child; child != REGEX_NONE; child = nodes[child].next)
        count++;
    size_t *children = mem_zalloc(count + 1, sizeof *children);
    for (size_t child = node->child; child != REGEX_NONE; child = nodes[child].next)
        children[index++] = child;
    while (index > 0)
        next = build(builder, children[--index], next);
    free(children);
    return next;
}

static size_t build_choice(const struct builder *builder, const struct regex_node *node,
                           size_t next)
{
    const struct regex_node *nodes = builder->regex->nodes;
    size_t all = NO_STATE;

    for (size_t child = node->child; child != REGEX_NONE; child = nodes[child].next) {
        size_t branch = build(builder, child, next);
        all = all == NO_STATE
                  ? branch
                  : add_state(builder->automaton,
                              (struct state){.kind = STATE_SPLIT, .next = branch, .other = all});
    }
    return all == NO_STATE ? next : all;
}

static size_t build_repeat(const struct builder *builder, const struct regex_node *node,
                           size_t next)
{
    struct automaton *automaton = builder->automaton;
    const struct state split = {.kind = STATE_SPLIT, .next = next, .other = NO_STATE};
    unsigned optional = node->max == REGEX_MANY ? 0 : node->max - node->min;
    size_t entry = next;

    if (node->max == REGEX_MANY) {
        entry = add_state(automaton, split);
        size_t loop = build(builder, node->child, entry);
        automaton->states[entry].other = loop;
    }
    for (unsigned i = 0; i < optional && !automaton->is_too_large; i++) {
        size_t once = build(builder, node->child, entry);
        struct state skip = split;
        skip.other = once;
        entry = add_state(automaton, skip);
    }
    for (unsigned i = 0; i < node->min && !automaton->is_too_large; i++)
        entry = build(builder, node->child, entry);
    return entry;
}

/* The state in which a match of the node begins that goes on in `next`. */
static size_t build(const struct builder *builder, size_t at, size_t next)
{
    const struct regex_node *node = &builder->regex->nodes[at];
    struct automaton *automaton = builder->automaton;
    struct state state = {.next = next, .other = NO_STATE};

    if (automaton->is_too_large)
        return 0;
    switch (node->kind) {
    case REGEX_SEQUENCE:
        return build_sequence(builder, node, next);
    case REGEX_CHOICE:
        return build_choice(builder, node, next);
    case REGEX_REPEAT:
        return build_repeat(builder, node, next);
    case REGEX_CAPTURE:
        return build(builder, node->child, next);
    case REGEX_OPAQUE:
        if (builder->bound == AUTOMATON_UPPER)
            return build(builder, node->child, next);
        state.kind = STATE_NEVER;
        break;
    case REGEX_SET:
        state.kind = STATE_SET;
        state.set = intern_set(automaton, &node->set);
        break;
    case REGEX_START:
        state.kind = STATE_START;
        break;
    case REGEX_END:
        state.kind = STATE_END;
        break;
    }
    return add_state(automaton, state);
}

/* --- sets of states --- */

static bool bit_is_set(const uint64_t *set, size_t index)
{
    return set[index / 64] >> (index % 64) & 1;
}

static void add_bit(uint64_t *set, size_t index)
{
    set[index / 64] |= (uint64_t)1 << (index % 64);
}

/* Which anchors may be passed. */
struct place {
    bool is_start;
    bool is_end;
};

/* Adds the state and all that can be reached from it without a byte. */
static void add_closure(const struct automaton *automaton, size_t first, struct place place,
                        uint64_t *set, size_t *stack)
{
    size_t depth = 0;

    stack[depth++] = first;
    while (depth > 0) {
        size_t index = stack[--depth];
        const struct state *state = &automaton->states[index];
        if (bit_is_set(set, index))
            continue;
        add_bit(set, index);
        bool is_passed = state->kind == STATE_SPLIT ||
                         (state->kind == STATE_START && place.is_start) ||
                         (state->kind == STATE_END && place.is_end);
        if (is_passed && state->other != NO_STATE)
            stack[depth++] = state->other;
        if (is_passed)
            stack[depth++] = state->next;
    }
}

/* The accepting state is the first that was added. */
static bool has_accept(const uint64_t *set)
{
    return bit_is_set(set, 0);
}

static void find_ends(struct automaton *automaton)
{
    uint64_t *set = mem_zalloc(automaton->words, sizeof *set);
    size_t *stack = mem_zalloc(2 * automaton->count + 2, sizeof *stack);

    automaton->ends = mem_zalloc(automaton->words, sizeof *automaton->ends);
    for (size_t i = 0; i < automaton->count; i++) {
        memset(set, 0, automaton->words * sizeof *set);
        add_closure(automaton, i, (struct place){false, true}, set, stack);
        if (has_accept(set))
            add_bit(automaton->ends, i);
    }
    memset(set, 0, automaton->words * sizeof *set);
    add_closure(automaton, automaton->first, (struct place){true, true}, set, stack);
    automaton->matches_empty = has_accept(set);
    free(stack);
    free(set);
}

/* Splits each class in what the set has of it and what it has not. */
static void split_classes(struct automaton *automaton, const struct byte_set *set)
{
    unsigned numbers[256][2] = {{0}}; /* of the halves, from 1 on */
    unsigned count = 0;

    for (unsigned byte = 0; byte < 256; byte++) {
        unsigned *number = &numbers[automaton->classes[byte]][byte_set_has(set, byte)];
        if (*number == 0)
            *number = ++count;
        automaton->classes[byte] = (unsigned char)(*number - 1);
    }
}

struct automaton *automaton_build(const struct regex *regex, enum automaton_bound bound)
{
    struct automaton *automaton = mem_zalloc(1, sizeof *automaton);
    const struct builder builder = {automaton, regex, bound};

    size_t accept = add_state(automaton, (struct state){.kind = STATE_ACCEPT, .other = NO_STATE});
    automaton->first = build(&builder, regex->root, accept);
    if (automaton->is_too_large) {
        automaton_free(automaton);
        return NULL;
    }
    automaton->words = (automaton->count + 63) / 64;
    for (size_t i = 0; i < automaton->set_count; i++)
        split_classes(automaton, &automaton->sets[i]);
    find_ends(automaton);
    return automaton;
}

void automaton_free(struct automaton *automaton)
{
    if (!automaton)
        return;
    free(automaton->ends);
    free(automaton->sets);
    free(automaton->states);
    free(automaton);
}

/* --- the search --- */

/* A pair of sets, and how it was reached. */
struct pair {
    size_t parent;
    char byte;
};

struct search {
    const struct automaton *a;
    const struct automaton *b;
    size_t words;             /* of both sets together */
    unsigned char bytes[256]; /* one of each class */
    size_t byte_count;
    struct pair *pairs;
    uint64_t *sets; /* of pair i, from i * words on: a's, then b's */
    size_t count;
    size_t room;   /* for pairs; one more is always there, for the next one */
    size_t *table; /* index + 1 of a pair, by hash; 2 * room */
    size_t *stack;
    size_t work;
    bool is_exhausted;
};

/* Letters and digits first: they make the examples readable. */
static size_t list_bytes(enum automaton_text text, unsigned char *bytes)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t count = sizeof first - 1;

    memcpy(bytes, first, count);
    for (unsigned byte = 0; byte < 256; byte++) {
        bool is_alnum = ascii_is_alpha((char)byte) || ascii_is_digit((char)byte);
        bool is_text = ascii_is_printable((char)byte) ||
                       (text == AUTOMATON_LINE && (byte == '\t' || byte >= 0x80));
        if (is_text && !is_alnum)
            bytes[count++] = (unsigned char)byte;
    }
    return count;
}

static bool are_alike(const struct search *search, unsigned a, unsigned b)
{
    return search->a->classes[a] == search->a->classes[b] &&
           search->b->classes[a] == search->b->classes[b];
}

static void choose_bytes(struct search *search, enum automaton_text text)
{
    unsigned char all[256];
    size_t count = list_bytes(text, all);

    for (size_t i = 0; i < count; i++) {
        bool is_new = true;
        for (size_t j = 0; j < search->byte_count && is_new; j++)
            is_new = !are_alike(search, all[i], search->bytes[j]);
        if (is_new)
            search->bytes[search->byte_count++] = all[i];
    }
}

static uint64_t hash_sets(const uint64_t *sets, size_t words)
{
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < words; i++) {
        hash = (hash ^ sets[i]) * 1099511628211u;
        hash ^= hash >> 29;
    }
    return hash;
}

static uint64_t *sets_at(const struct search *search, size_t index)
{
    return search->sets + index * search->words;
}

/* The slot of the pair with these sets, or a free one. */
static size_t find_slot(const struct search *search, const uint64_t *sets)
{
    size_t slots = 2 * search->room;
    size_t slot = (size_t)(hash_sets(sets, search->words) % slots);

    while (search->table[slot] && memcmp(sets_at(search, search->table[slot] - 1), sets,
                                         search->words * sizeof *sets) != 0)
        slot = (slot + 1) % slots;
    return slot;
}

static void grow(struct search *search, size_t room)
{
    search->pairs = mem_resize(search->pairs, room, sizeof *search->pairs);
    search->sets = mem_resize(search->sets, (room + 1) * search->words, sizeof *search->sets);
    free(search->table);
    search->table = mem_zalloc(2 * room, sizeof *search->table);
    search->room = room;
    /* The first pair stays apart: only there the beginning of the text is. */
    for (size_t i = 1; i < search->count; i++)
        search->table[find_slot(search, sets_at(search, i))] = i + 1;
}

/* Adds the pair whose sets stand behind the others unless it is known. */
static void keep_pair(struct search *search, size_t parent, char byte)
{
    size_t slot = find_slot(search, sets_at(search, search->count));

    if (search->table[slot])
        return;
    if (search->count > 0)
        search->table[slot] = search->count + 1;
    search->pairs[search->count++] = (struct pair){parent, byte};
    search->is_exhausted = search->count == MAX_PAIRS;
    if (search->count == search->room && !search->is_exhausted)
        grow(search, 2 * search->room);
}

/* False: no way of reading goes on with this byte. Few states of a set are alive at a time, so its
 * bits are walked and not the states. */
static bool step(struct search *search, const struct automaton *automaton, const uint64_t *from,
                 unsigned byte, uint64_t *to)
{
    bool is_alive = false;

    memset(to, 0, automaton->words * sizeof *to);
    for (size_t word = 0; word < automaton->words; word++) {
        for (uint64_t left = from[word]; left; left &= left - 1) {
            size_t index = word * 64 + (size_t)__builtin_ctzll(left);
            const struct state *state = &automaton->states[index];
            search->work++;
            if (state->kind != STATE_SET || !byte_set_has(&automaton->sets[state->set], byte))
                continue;
            add_closure(automaton, state->next, (struct place){false, false}, to, search->stack);
            is_alive = true;
        }
    }
    search->work += automaton->words;
    return is_alive;
}

static bool may_end(const struct automaton *automaton, const uint64_t *set, bool is_first)
{
    if (is_first)
        return automaton->matches_empty;
    for (size_t i = 0; i < automaton->words; i++)
        if (automaton->ends[i] & set[i])
            return true;
    return false;
}

/* Follows one pair by every byte. `needs_b`: a pair whose second set is empty leads nowhere. */
static void expand(struct search *search, size_t index, bool needs_b)
{
    for (size_t i = 0; i < search->byte_count && !search->is_exhausted; i++) {
        const uint64_t *from = sets_at(search, index);
        uint64_t *to = sets_at(search, search->count);
        if (!step(search, search->a, from, search->bytes[i], to))
            continue;
        if (!step(search, search->b, from + search->a->words, search->bytes[i],
                  to + search->a->words) &&
            needs_b)
            continue;
        keep_pair(search, index, (char)search->bytes[i]);
        if (search->work > MAX_WORK)
            search->is_exhausted = true;
    }
}

static void search_start(struct search *search, const struct automaton *a,
                         const struct automaton *b, enum automaton_text text)
{
    size_t most = a->count > b->count ? a->count : b->count;

    search->a = a;
    search->b = b;
    search->words = a->words + b->words;
    grow(search, FIRST_PAIRS);
    memset(search->sets, 0, search->words * sizeof *search->sets);
    search->stack = mem_zalloc(2 * most + 2, sizeof *search->stack);
    choose_bytes(search, text);
    add_closure(a, a->first, (struct place){true, false}, search->sets, search->stack);
    add_closure(b, b->first, (struct place){true, false}, search->sets + a->words, search->stack);
    keep_pair(search, 0, '\0');
}

static void search_free(struct search *search)
{
    free(search->stack);
    free(search->table);
    free(search->sets);
    free(search->pairs);
    free(search);
}

static void append_example(const struct search *search, size_t index, struct buf *out)
{
    if (index == 0)
        return;
    append_example(search, search->pairs[index].parent, out);
    buf_append_char(out, search->pairs[index].byte);
}

/* Looks for a text that `a` matches and that `b` does, or does not. */
static enum automaton_answer search_run(const struct automaton *a, const struct automaton *b,
                                        enum automaton_text text, bool b_matches,
                                        struct buf *example)
{
    struct search *search = mem_zalloc(1, sizeof *search);
    enum automaton_answer answer = AUTOMATON_NO;

    search_start(search, a, b, text);
    for (size_t i = 0; i < search->count && answer == AUTOMATON_NO; i++) {
        const uint64_t *sets = sets_at(search, i);
        if (may_end(a, sets, i == 0) && may_end(b, sets + a->words, i == 0) == b_matches) {
            answer = AUTOMATON_YES;
            if (example)
                append_example(search, i, example);
            break;
        }
        if (!search->is_exhausted)
            expand(search, i, b_matches);
        if (search->is_exhausted)
            answer = AUTOMATON_UNKNOWN;
    }
    search_free(search);
    return answer;
}

enum automaton_answer automaton_includes(const struct automaton *outer,
                                         const struct automaton *inner, enum automaton_text text)
{
    switch (search_run(inner, outer, text, false, NULL)) {
    case AUTOMATON_NO:
        return AUTOMATON_YES;
    case AUTOMATON_YES:
        return AUTOMATON_NO;
    case AUTOMATON_UNKNOWN:
        break;
    }
    return AUTOMATON_UNKNOWN;
}

enum automaton_answer automaton_meets(const struct automaton *a, const struct automaton *b,
                                      enum automaton_text text, struct buf *example)
{
    return search_run(a, b, text, true, example);
}
