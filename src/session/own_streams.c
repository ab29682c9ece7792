/* Tables sorted by id: the open streams with their circuits and the circuits with the number of
 * open streams on each, as events tell; the ids of others; the circuits as tor was asked for. tor
 * counts its ids up, so a new one nearly always goes to the end; a search halves; each table has a
 * maximum. */
#include "own_streams.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "line.h"
#include "mem.h"

#define FIRST_CAPACITY 16
#define CLOSED_MAX 64 /* "650 CIRC ID CLOSED" */

struct entry {
    unsigned long id;
    unsigned long value; /* of a stream: its circuit; of a circuit: how many streams are on it */
    bool is_closed;      /* a circuit that tor closed before the last of them */
};

struct table {
    struct entry *entries;
    size_t count;
    size_t capacity;
};

struct own_streams {
    struct stream_source client;
    struct table streams;
    struct table circuits;
    struct table foreign;  /* ids that are not, or not any more, the client's */
    unsigned long floor;   /* this id and all below are foreign as well */
    struct table occupied; /* circuits by GETINFO stream-status */
    bool has_occupied;
    struct buf closed; /* the line that a CIRC event became */
};

/* --- tables --- */

/* Where the id is, or belongs. */
static size_t table_place(const struct table *table, unsigned long id)
{
    size_t low = 0, high = table->count;

    /* The newest is asked for most often. */
    if (high > 0 && table->entries[high - 1].id < id)
        return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->entries[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct entry *table_find(const struct table *table, unsigned long id)
{
    size_t place = table_place(table, id);

    return place < table->count && table->entries[place].id == id ? &table->entries[place] : NULL;
}

static struct entry *table_insert(struct table *table, unsigned long id)
{
    size_t place = table_place(table, id);

    if (table->count == table->capacity) {
        table->capacity = table->capacity ? 2 * table->capacity : FIRST_CAPACITY;
        table->entries = mem_resize(table->entries, table->capacity, sizeof *table->entries);
    }
    memmove(table->entries + place + 1, table->entries + place,
            (table->count - place) * sizeof *table->entries);
    table->count++;
    table->entries[place] = (struct entry){.id = id};
    return &table->entries[place];
}

static void table_remove(struct table *table, struct entry *entry)
{
    size_t place = (size_t)(entry - table->entries);

    table->count--;
    memmove(entry, entry + 1, (table->count - place) * sizeof *table->entries);
}

static void table_clear(struct table *table)
{
    free(table->entries);
    *table = (struct table){0};
}

/* --- life --- */

struct own_streams *own_streams_new(const struct stream_source *client)
{
    struct own_streams *own = mem_zalloc(1, sizeof *own);

    own->client = *client;
    buf_init(&own->closed, CLOSED_MAX);
    return own;
}

void own_streams_reset(struct own_streams *own)
{
    table_clear(&own->streams);
    table_clear(&own->circuits);
    table_clear(&own->foreign);
    table_clear(&own->occupied);
    own->floor = 0;
    own->has_occupied = false;
}

void own_streams_free(struct own_streams *own)
{
    if (!own)
        return;
    own_streams_reset(own);
    buf_clear(&own->closed);
    free(own);
}

size_t own_streams_held(const struct own_streams *own)
{
    if (!own)
        return 0;
    return sizeof *own + own->closed.cap +
           (own->streams.capacity + own->circuits.capacity + own->foreign.capacity +
            own->occupied.capacity) *
               sizeof(struct entry);
}

/* --- circuits --- */

/* Half of the circuits that no open stream is on, the older ones. */
static void forget_old_circuits(struct table *circuits)
{
    size_t idle = 0, kept = 0;

    for (size_t i = 0; i < circuits->count; i++)
        idle += circuits->entries[i].value == 0;
    size_t surplus = (idle + 1) / 2;
    for (size_t i = 0; i < circuits->count; i++) {
        if (circuits->entries[i].value == 0 && surplus > 0)
            surplus--;
        else
            circuits->entries[kept++] = circuits->entries[i];
    }
    circuits->count = kept;
}

static void enter_circuit(struct own_streams *own, unsigned long id)
{
    struct entry *circuit = table_find(&own->circuits, id);

    if (id == 0)
        return;
    if (!circuit) {
        if (own->circuits.count >= OWN_CIRCUITS_MAX)
            forget_old_circuits(&own->circuits);
        circuit = table_insert(&own->circuits, id);
    }
    circuit->value++;
}

/* It stays known without streams: that it closes is the client's to know, too. */
static void leave_circuit(struct own_streams *own, unsigned long id)
{
    struct entry *circuit = table_find(&own->circuits, id);

    if (circuit && --circuit->value == 0 && circuit->is_closed)
        table_remove(&own->circuits, circuit);
}

/* Notes that tor closed the circuit; whether it was the client's. */
static bool close_circuit(struct own_streams *own, unsigned long id)
{
    struct entry *circuit = table_find(&own->circuits, id);

    if (!circuit || circuit->is_closed)
        return false;
    if (circuit->value > 0)
        circuit->is_closed = true;
    else
        table_remove(&own->circuits, circuit);
    return true;
}

/* --- ids of others --- */

static bool is_foreign(const struct own_streams *own, unsigned long id)
{
    return id <= own->floor || table_find(&own->foreign, id);
}

static void note_foreign(struct own_streams *own, unsigned long id)
{
    struct table *foreign = &own->foreign;

    if (is_foreign(own, id))
        return;
    if (foreign->count == OWN_STREAMS_FOREIGN_MAX) {
        size_t half = foreign->count / 2;
        own->floor = foreign->entries[half - 1].id;
        foreign->count -= half;
        memmove(foreign->entries, foreign->entries + half,
                foreign->count * sizeof *foreign->entries);
    }
    if (id > own->floor)
        table_insert(foreign, id);
}

/* --- events --- */

static void forget_stream(struct own_streams *own, unsigned long id)
{
    struct entry *stream = table_find(&own->streams, id);

    if (!stream)
        return;
    leave_circuit(own, stream->value);
    table_remove(&own->streams, stream);
}

/* An id that begins anew is somebody else's until its source says otherwise. */
static void begin_stream(struct own_streams *own, const struct stream_event *event)
{
    forget_stream(own, event->id);
    if (stream_source_equals(&event->source, &own->client) && !is_foreign(own, event->id) &&
        own->streams.count < OWN_STREAMS_MAX)
        table_insert(&own->streams, event->id);
}

static void follow_stream(struct own_streams *own, struct entry *stream,
                          const struct stream_event *event)
{
    if (stream->value != event->circuit) {
        enter_circuit(own, event->circuit);
        leave_circuit(own, stream->value);
        stream->value = event->circuit;
    }
    if (stream_event_ends(event)) {
        forget_stream(own, event->id);
        note_foreign(own, event->id);
    }
}

static bool admit_stream(struct own_streams *own, struct span text)
{
    struct stream_event event;
    bool is_sound = stream_event_parse(text, &event);

    if (!event.has_id)
        return false;
    if (!is_sound)
        forget_stream(own, event.id);
    else if (stream_event_begins(&event))
        begin_stream(own, &event);
    struct entry *stream = table_find(&own->streams, event.id);
    if (stream)
        follow_stream(own, stream, &event);
    else
        note_foreign(own, event.id);
    return stream != NULL;
}

/* Takes the event's name off the front of its text, and the id behind it. */
static bool take_id(struct span *text, unsigned long *id_out)
{
    *text = span_from(*text, span_find(*text, ' ') + 1);
    size_t len = span_find(*text, ' ');
    bool is_number = span_to_number(span_first(*text, len), ULONG_MAX, id_out);

    *text = span_from(*text, len + 1);
    return is_number;
}

static bool admit_stream_bandwidth(const struct own_streams *own, struct span text)
{
    unsigned long id;

    return line_is_printable(text) && take_id(&text, &id) && own_streams_has_stream(own, id);
}

static bool admit_circuit(struct own_streams *own, struct reply_line *line)
{
    struct span text = line->text;
    unsigned long id;

    if (!take_id(&text, &id))
        return false;
    struct span status = span_first(text, span_find(text, ' '));
    if (span_equals(status, SPAN("FAILED"))) {
        close_circuit(own, id);
        return false;
    }
    if (!span_equals(status, SPAN("CLOSED")) || !close_circuit(own, id))
        return false;
    buf_reset(&own->closed);
    return buf_printf(&own->closed, "650 CIRC %lu CLOSED", id) &&
           reply_parse_line(buf_span(&own->closed), line);
}

bool own_streams_admit(struct own_streams *own, struct reply_line *line)
{
    struct span name = event_name(line);
    bool is_one_line = line->kind == REPLY_END;

    /* Without regard to case, as those who wait for events compare their names. */
    if (span_equals_nocase(name, SPAN("STREAM")))
        return admit_stream(own, line->text) && is_one_line;
    if (span_equals_nocase(name, SPAN("STREAM_BW")))
        return is_one_line && admit_stream_bandwidth(own, line->text);
    if (span_equals_nocase(name, SPAN("CIRC")))
        return is_one_line && admit_circuit(own, line);
    return !span_equals_nocase(name, SPAN("CIRC_MINOR")) &&
           !span_equals_nocase(name, SPAN("CIRC_BW"));
}

/* --- GETINFO stream-status --- */

/* "ID STATUS CIRCUIT TARGET". */
static void take_status_entry(struct own_streams *own, struct span entry, bool is_first)
{
    unsigned long id, circuit;
    size_t end = span_find(entry, ' ');

    if (!span_to_number(span_first(entry, end), ULONG_MAX, &id))
        return;
    if (!table_find(&own->streams, id)) {
        if (is_first)
            note_foreign(own, id);
        return;
    }
    entry = span_from(entry, end + 1);
    entry = span_from(entry, span_find(entry, ' ') + 1);
    if (span_to_number(span_first(entry, span_find(entry, ' ')), ULONG_MAX, &circuit) &&
        circuit != 0 && !table_find(&own->occupied, circuit) &&
        own->occupied.count < OWN_STREAMS_MAX)
        table_insert(&own->occupied, circuit);
}

bool own_streams_take_status(struct own_streams *own, const struct reply_line *line, bool is_first)
{
    static const struct span prefix = {"stream-status=", 14};

    if (line->kind == REPLY_DATA_LINE || line->kind == REPLY_DATA_END) {
        if (line->kind == REPLY_DATA_LINE)
            take_status_entry(own, line->wire, is_first);
        return true;
    }
    if (line->code != 250 || line->kind == REPLY_END || !span_starts_with(line->text, prefix))
        return false;
    own->occupied.count = 0;
    own->has_occupied = true;
    take_status_entry(own, span_from(line->text, prefix.len), is_first);
    return true;
}

bool own_streams_has_stream(const struct own_streams *own, unsigned long id)
{
    return table_find(&own->streams, id) != NULL;
}

bool own_streams_has_circuit(const struct own_streams *own, unsigned long id)
{
    const struct entry *circuit = table_find(&own->circuits, id);

    if (own->has_occupied)
        return table_find(&own->occupied, id) != NULL;
    return circuit && circuit->value > 0;
}
