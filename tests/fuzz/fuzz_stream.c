/* Whose streams and circuits are whose (tor-browser-mode): nothing of others is admitted, however
 * the events, the status replies and the names in them look.
 *
 * Input: one byte of settings, then what tor sends. The reference knows ids by what came first, and
 * finds SOURCE_ADDR with a reader of its own. */
#include <arpa/inet.h>
#include <limits.h>
#include <string.h>

#include "event.h"
#include "fuzz_check.h"
#include "mem.h"
#include "own_status.h"
#include "own_streams.h"

#define CLIENT "10.0.0.5"
#define CIRCUITS_MAX 4096
#define IDS_MAX 4096

/* --- the reference --- */

struct known {
    unsigned long id;
    bool is_own;
};

struct reference {
    struct known ids[IDS_MAX];
    size_t count;
    unsigned long circuits[CIRCUITS_MAX]; /* that a stream of the client's was on at some time */
    size_t circuit_count;
};

static struct known *find_id(struct reference *reference, unsigned long id)
{
    for (size_t i = 0; i < reference->count; i++)
        if (reference->ids[i].id == id)
            return &reference->ids[i];
    return NULL;
}

static struct known *note_id(struct reference *reference, unsigned long id, bool is_own)
{
    require(reference->count < IDS_MAX);
    reference->ids[reference->count] = (struct known){id, is_own};
    return &reference->ids[reference->count++];
}

static bool is_own(struct reference *reference, unsigned long id)
{
    const struct known *known = find_id(reference, id);

    return known && known->is_own;
}

static void note_circuit(struct reference *reference, unsigned long circuit)
{
    require(reference->circuit_count < CIRCUITS_MAX);
    reference->circuits[reference->circuit_count++] = circuit;
}

static bool is_own_circuit(const struct reference *reference, unsigned long circuit)
{
    for (size_t i = 0; i < reference->circuit_count; i++)
        if (reference->circuits[i] == circuit)
            return true;
    return false;
}

static struct span next_word(struct span *rest)
{
    while (rest->len > 0 && rest->data[0] == ' ')
        *rest = span_from(*rest, 1);
    struct span word = span_first(*rest, span_find(*rest, ' '));
    *rest = span_from(*rest, word.len + 1);
    return word;
}

/* Whether the value of SOURCE_ADDR is the client's address. */
static bool is_client(struct span value)
{
    char text[64] = {0};
    unsigned char address[16];
    size_t colon = value.len;

    while (colon > 0 && value.data[colon - 1] != ':')
        colon--;
    if (colon < 2 || colon >= sizeof text)
        return false;
    memcpy(text, value.data, colon - 1);
    if (inet_pton(AF_INET, text, address) == 1)
        return memcmp(address, "\x0a\0\0\x05", 4) == 0;
    return inet_pton(AF_INET6, text, address) == 1 &&
           memcmp(address, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\x05", 16) == 0;
}

/* Whether the fields name the client, once, outside of all quotes. */
static bool names_client(struct span fields)
{
    bool in_quotes = false, at_field = true;
    unsigned sources = 0, ours = 0;

    for (size_t i = 0; i < fields.len; i++) {
        char c = fields.data[i];
        struct span rest = span_from(fields, i);
        if (!in_quotes && at_field &&
            span_equals_nocase(span_first(rest, 12), SPAN("SOURCE_ADDR="))) {
            sources++;
            ours += is_client(span_first(span_from(rest, 12), span_find(span_from(rest, 12), ' ')));
        }
        at_field = !in_quotes && c == ' ';
        if (in_quotes && c == '\\')
            i++;
        else if (c == '"')
            in_quotes = !in_quotes;
    }
    return sources == 1 && ours == 1;
}

/* What a STREAM event says, and whether the client may have it. */
static bool take_stream(struct reference *reference, struct span text)
{
    struct span rest = text;
    unsigned long id, circuit;

    next_word(&rest);
    if (!span_to_number(next_word(&rest), ULONG_MAX, &id))
        return false;
    struct span status = next_word(&rest);
    bool has_circuit = span_to_number(next_word(&rest), ULONG_MAX, &circuit);
    next_word(&rest);
    bool begins = span_equals(status, SPAN("NEW")) || span_equals(status, SPAN("NEWRESOLVE"));
    struct known *known = find_id(reference, id);
    if (!known)
        known = note_id(reference, id, begins && names_client(rest));
    else if (begins)
        known->is_own &= names_client(rest);
    bool is_shown = known->is_own;
    if (is_shown && has_circuit)
        note_circuit(reference, circuit);
    if (span_equals(status, SPAN("CLOSED")) || span_equals(status, SPAN("FAILED")))
        known->is_own = false;
    return is_shown;
}

/* --- what the program makes of it --- */

struct run {
    struct reference reference;
    struct own_streams *own;
    struct own_status status;
    bool is_probe; /* replies are those to the program's own question */
    bool is_first; /* the first of them */
    bool in_event;
    bool in_block;   /* of what is passed on */
    struct span key; /* of the status whose entries come; empty: none */
    struct buf out;
};

static unsigned long number_behind(struct span text)
{
    struct span word = span_from(text, span_find(text, ' ') + 1);
    unsigned long number;

    require(span_to_number(span_first(word, span_find(word, ' ')), ULONG_MAX, &number));
    return number;
}

static void check_event(struct run *run, const struct reply_line *line)
{
    struct span name = event_name(line);
    struct reply_line shown = *line;
    bool is_stream = span_equals_nocase(name, SPAN("STREAM"));
    bool may_show = is_stream && take_stream(&run->reference, line->text);

    if (!own_streams_admit(run->own, &shown))
        return;
    if (is_stream)
        require(may_show && line->kind == REPLY_END);
    else if (span_equals_nocase(name, SPAN("STREAM_BW")))
        require(is_own(&run->reference, number_behind(line->text)));
    else if (span_equals_nocase(name, SPAN("CIRC")))
        require(is_own_circuit(&run->reference, number_behind(shown.text)) &&
                span_equals(span_from(shown.text, shown.text.len - 7), SPAN(" CLOSED")));
    else
        require(!span_equals_nocase(name, SPAN("CIRC_BW")) &&
                !span_equals_nocase(name, SPAN("CIRC_MINOR")));
}

/* An entry of a status reply that is shown. */
static void check_entry(struct run *run, struct span entry)
{
    unsigned long id;

    require(span_to_number(span_first(entry, span_find(entry, ' ')), ULONG_MAX, &id));
    if (span_equals(run->key, SPAN("stream-status=")))
        require(is_own(&run->reference, id));
    else
        require(is_own_circuit(&run->reference, id));
}

static void note_key(struct run *run, const struct reply_line *line)
{
    static const struct span keys[] = {{"circuit-status=", 15}, {"stream-status=", 14}};

    run->key = span_make(NULL, 0);
    for (size_t i = 0; i < 2; i++)
        if (span_starts_with(line->text, keys[i]))
            run->key = keys[i];
    if (line->kind == REPLY_END)
        run->key = span_make(NULL, 0);
}

static void check_reply(struct run *run, const struct reply_line *line)
{
    struct reply_line lines[OWN_STATUS_MAX_LINES];

    if (line->kind != REPLY_DATA_LINE && line->kind != REPLY_DATA_END)
        note_key(run, line);
    size_t count = own_status_feed(&run->status, run->own, line, lines);
    require(count <= OWN_STATUS_MAX_LINES);
    for (size_t i = 0; i < count; i++) {
        struct span entry = span_from(lines[i].text, run->key.len);
        bool is_data = lines[i].kind == REPLY_DATA_LINE || lines[i].kind == REPLY_DATA_END;
        require(is_data == run->in_block);
        run->in_block = lines[i].kind == REPLY_DATA || lines[i].kind == REPLY_DATA_LINE;
        reply_write(&run->out, lines[i].wire);
        if (run->key.len == 0)
            continue;
        if (lines[i].kind == REPLY_MID && entry.len > 0)
            check_entry(run, entry);
        else if (lines[i].kind == REPLY_DATA_LINE)
            check_entry(run, lines[i].wire);
    }
}

/* The reply to the program's own question: circuits of own streams become own. */
static bool take_probe(struct run *run, const struct reply_line *line)
{
    struct span entry = line->wire;
    unsigned long id, circuit;
    bool is_shown;

    if (line->kind == REPLY_END) {
        run->is_first = false;
        return true;
    }
    if (line->kind != REPLY_DATA_LINE)
        entry = span_from(line->text, SPAN("stream-status=").len);
    is_shown = own_streams_take_status(run->own, line, run->is_first);
    /* tor's own entries have no space in front. */
    struct span rest = entry;
    if (!is_shown || line->kind == REPLY_DATA_END || span_starts_with(rest, SPAN(" ")) ||
        !span_to_number(next_word(&rest), ULONG_MAX, &id))
        return is_shown;
    next_word(&rest);
    if (is_own(&run->reference, id) && span_to_number(next_word(&rest), ULONG_MAX, &circuit))
        note_circuit(&run->reference, circuit);
    else if (run->is_first && !find_id(&run->reference, id))
        note_id(&run->reference, id, false);
    return is_shown;
}

static bool take_line(struct run *run, const struct reply_line *line)
{
    bool is_event = line->code == REPLY_EVENT_CODE;

    if (is_event && !run->in_event)
        check_event(run, line);
    else if (!is_event && run->is_probe)
        return take_probe(run, line);
    else if (!is_event)
        check_reply(run, line);
    run->in_event = is_event && line->kind != REPLY_END;
    return true;
}

/* What was passed on of replies is made of whole lines in the right order. */
static void check_form(struct span out)
{
    struct reply_reader reader;
    struct reply_line line;

    reply_reader_init(&reader);
    enum reply_result result;
    while ((result = reply_reader_next(&reader, &out, &line)) == REPLY_LINE)
        continue;
    require(result == REPLY_NONE);
    reply_reader_clear(&reader);
}

static bool client_parse(struct stream_source *client)
{
    return stream_source_parse(SPAN(CLIENT ":1"), client);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stream_source client;
    struct reply_reader reader;
    struct reply_line line;
    bool goes_on = true;

    if (size < 1 || size > 32 * 1024)
        return 0;
    struct run *run = mem_zalloc(1, sizeof *run);
    struct span rest = span_make((const char *)data + 1, size - 1);
    require(client_parse(&client));
    run->own = own_streams_new(&client);
    run->is_probe = data[0] & 1;
    run->is_first = data[0] & 2;
    own_status_init(&run->status);
    buf_init(&run->out, 8 * size + 1024);
    reply_reader_init(&reader);
    while (goes_on && reply_reader_next(&reader, &rest, &line) == REPLY_LINE)
        goes_on = take_line(run, &line);
    check_form(buf_span(&run->out));
    reply_reader_clear(&reader);
    own_status_clear(&run->status);
    own_streams_free(run->own);
    buf_clear(&run->out);
    free(run);
    return 0;
}
