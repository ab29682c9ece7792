/* Commands: the same whatever the cuts; what is written is read back as the same command and as
 * nothing more; what may be forwarded has targets that stay what they are.
 *
 * Input: one byte of seed for the cuts, then what a client sends. */
#include "add_onion.h"
#include "arguments.h"
#include "buf.h"
#include "command.h"
#include "fuzz_check.h"
#include "onion_commands.h"
#include "onion_request.h"

static void record_span(struct buf *out, struct span text)
{
    buf_append(out, span_make((const char *)&text.len, sizeof text.len));
    buf_append(out, text);
}

static void record(struct buf *out, const struct command *command)
{
    buf_append_char(out, (char)('0' + (int)command->defect));
    buf_append_char(out, command->is_block ? '+' : '-');
    buf_append_string(out, command->keyword ? command->keyword->name : "?");
    record_span(out, command->name);
    record_span(out, command->arguments);
    record_span(out, command->data);
}

static void check_form(const struct command *command)
{
    if (command->defect == COMMAND_BAD_BYTES)
        return;
    require(line_is_printable(command->name) && line_is_printable(command->arguments));
    require(command_data_is_sound(command->data));
    require((command->defect == COMMAND_SOUND) == (command->keyword != NULL));
    if (command->keyword)
        require(command->is_block == ((command->keyword->flags & KEYWORD_IS_BLOCK) != 0));
}

/* What goes to tor is this command and no other. */
static void check_written(const struct command *command)
{
    struct command_reader reader;
    struct command again;
    struct buf wire;

    buf_init(&wire, 2 * (COMMAND_MAX_LINE + COMMAND_MAX_DATA));
    command_reader_init(&reader);
    require(command_write(&wire, command->keyword, command->arguments, command->data));
    struct span input = buf_span(&wire);
    require(command_reader_next(&reader, &input, &again) == COMMAND_READY && input.len == 0);
    require(again.defect == COMMAND_SOUND && again.keyword == command->keyword);
    require(span_equals(again.arguments, command->arguments));
    require(span_equals(again.data, command->data));
    require(command_reader_next(&reader, &input, &again) == COMMAND_NONE);
    require(!reader.in_block);
    command_reader_clear(&reader);
    buf_clear(&wire);
}

static bool visit(const struct target *target, void *context)
{
    struct buf text;
    struct target again;
    bool *is_same = context;

    buf_init(&text, 1000);
    require(target_write(&text, target));
    /* A default port of 1 would show if the port had not been written. */
    require(target_parse(buf_span(&text), 1, &again) == TARGET_OK);
    *is_same = again.kind == target->kind && again.port == target->port &&
               memcmp(again.address, target->address, sizeof again.address) == 0 &&
               span_equals(again.path, target->path);
    buf_clear(&text);
    return *is_same;
}

static void check_onion(struct span arguments)
{
    struct add_onion_facts facts, facts_again;
    struct buf text, again;
    bool is_same = true;

    buf_init(&text, 2 * COMMAND_MAX_LINE);
    buf_init(&again, 2 * COMMAND_MAX_LINE);
    if (add_onion_canonical(arguments, &text, &facts) == TARGET_OK) {
        require(add_onion_each_target(buf_span(&text), visit, &is_same) && is_same);
        require(add_onion_canonical(buf_span(&text), &again, &facts_again) == TARGET_OK);
        require(span_equals(buf_span(&text), buf_span(&again)));
        require(facts.is_detached == facts_again.is_detached);
    } else {
        require(text.len == 0);
    }
    buf_clear(&text);
    buf_clear(&again);
}

static bool same_target(const struct target *a, const struct target *b)
{
    return a->kind == b->kind && (a->kind == TARGET_UNIX || a->port == b->port) &&
           (a->kind == TARGET_UNIX || memcmp(a->address, b->address, sizeof a->address) == 0) &&
           span_equals(a->path, b->path);
}

static void check_same_set(const struct onion_request *a, const struct onion_request *b)
{
    require(a->key == b->key && a->flags == b->flags);
    require(span_equals(a->stored_key, b->stored_key));
    for (size_t i = 0; i < ONION_NUMBERS; i++)
        require(a->has_number[i] == b->has_number[i] && a->numbers[i] == b->numbers[i]);
    require(a->port_count == b->port_count && a->client_key_count == b->client_key_count);
    for (size_t i = 0; i < a->port_count; i++)
        require(a->ports[i].virtual_port == b->ports[i].virtual_port &&
                same_target(&a->ports[i].target, &b->ports[i].target));
    for (size_t i = 0; i < a->client_key_count; i++)
        require(span_equals_nocase(a->client_keys[i], b->client_keys[i]));
}

struct targets {
    const struct onion_request *request;
    size_t count;
};

static bool visit_of_request(const struct target *target, void *context)
{
    struct targets *targets = context;
    size_t i = targets->count++;

    return i < targets->request->port_count &&
           same_target(target, &targets->request->ports[i].target);
}

/* The other reader, of text that need not be a set, finds the same targets in the same order. */
static void check_targets(struct span arguments, const struct onion_request *request)
{
    struct targets targets = {.request = request};
    struct add_onion_facts facts;
    struct buf text;

    buf_init(&text, 2 * COMMAND_MAX_LINE);
    require(add_onion_canonical(arguments, &text, &facts) == TARGET_OK);
    require(add_onion_each_target(buf_span(&text), visit_of_request, &targets));
    require(targets.count == request->port_count);
    require(facts.is_detached == ((request->flags & ADD_ONION_DETACH) != 0));
    buf_clear(&text);
}

/* The canonical text of a set is that of the same set, and nothing that tor reads in another way.
 */
static void check_onion_request(const struct keyword *keyword, struct span arguments)
{
    struct onion_request request, again;
    struct buf text, text_again;

    if (onion_request_parse(arguments, &request))
        return;
    buf_init(&text, 2 * COMMAND_MAX_LINE);
    buf_init(&text_again, 2 * COMMAND_MAX_LINE);
    require(onion_request_write(&request, &text));
    require(!arguments_refusal(keyword, buf_span(&text), span_make(NULL, 0)));
    require(!onion_request_parse(buf_span(&text), &again));
    check_same_set(&request, &again);
    require(onion_request_write(&again, &text_again));
    require(span_equals(buf_span(&text), buf_span(&text_again)));
    check_targets(arguments, &request);
    check_targets(buf_span(&text), &request);
    buf_clear(&text);
    buf_clear(&text_again);
}

typedef const char *(*canonical_fn)(struct span arguments, struct buf *out);

static canonical_fn find_canonical(enum keyword_id id)
{
    static const struct {
        enum keyword_id id;
        canonical_fn canonical;
    } rows[] = {
        {KEYWORD_DEL_ONION, onion_delete_canonical},
        {KEYWORD_HSFETCH, onion_fetch_canonical},
        {KEYWORD_ONION_CLIENT_AUTH_ADD, onion_key_add_canonical},
        {KEYWORD_ONION_CLIENT_AUTH_REMOVE, onion_key_remove_canonical},
        {KEYWORD_ONION_CLIENT_AUTH_VIEW, onion_key_view_canonical},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].id == id)
            return rows[i].canonical;
    return NULL;
}

static void check_onion_command(canonical_fn canonical, struct span arguments)
{
    struct buf text, again;

    buf_init(&text, 2 * COMMAND_MAX_LINE);
    buf_init(&again, 2 * COMMAND_MAX_LINE);
    if (canonical(arguments, &text)) {
        require(text.len == 0);
    } else {
        require(!canonical(buf_span(&text), &again));
        require(span_equals(buf_span(&text), buf_span(&again)));
    }
    buf_clear(&text);
    buf_clear(&again);
}

static void check(const struct command *command)
{
    check_form(command);
    if (command->defect != COMMAND_SOUND)
        return;
    check_written(command);
    if (arguments_refusal(command->keyword, command->arguments, command->data))
        return;
    require(!(command->keyword->flags & KEYWORD_IS_LOCAL));
    if (command->keyword->id == KEYWORD_ADD_ONION)
        check_onion(command->arguments);
    if (command->keyword->id == KEYWORD_ADD_ONION)
        check_onion_request(command->keyword, command->arguments);
    if (find_canonical(command->keyword->id))
        check_onion_command(find_canonical(command->keyword->id), command->arguments);
}

static void read_commands(struct span text, uint32_t seed, bool is_checked, struct buf *out)
{
    struct command_reader reader;
    struct command command;
    enum command_result result = COMMAND_NONE;

    command_reader_init(&reader);
    while (text.len > 0 && result != COMMAND_TOO_LONG) {
        struct span input = take_piece(&text, &seed);
        while ((result = command_reader_next(&reader, &input, &command)) == COMMAND_READY) {
            record(out, &command);
            if (is_checked)
                check(&command);
        }
        require(result == COMMAND_TOO_LONG || input.len == 0);
    }
    if (result == COMMAND_TOO_LONG)
        buf_append_char(out, '!');
    command_reader_clear(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct span text = span_make((const char *)data + 1, size - 1);
    uint32_t seeds[] = {1, 2u + data[0]};
    struct buf whole, cut;

    buf_init(&whole, 64 * size + 1024);
    read_commands(text, 0, true, &whole);
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        buf_init(&cut, 64 * size + 1024);
        read_commands(text, seeds[i], false, &cut);
        require(!cut.overflow && span_equals(buf_span(&whole), buf_span(&cut)));
        buf_clear(&cut);
    }
    buf_clear(&whole);
    return 0;
}
