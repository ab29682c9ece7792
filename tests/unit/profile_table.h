/* Tables of dialogues with a profile file: what its application sends, and what others would try.
 * tests/profiles/README has the format. */
#ifndef OG_PROFILE_TABLE_H
#define OG_PROFILE_TABLE_H

#include <libgen.h>

#include "profile_exchange.h"

/* What a table writes for long words of which only the form counts. */
static const struct table_word {
    const char *name, *text;
} table_words[] = {
    {"{ID}", "p53lf57qovyuvwsc6xnrppyply3vtqm7l6pcobkmyqsiofyeznfu5uqd"},
    {"{ID2}", "duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad"},
    {"{ID3}", "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid"},
    {"{KEY}", "ED25519-V3:YSBrZXkgb2Ygc2l4dHktZm91ciBieXRlcyB0aGF0IG5vIG9uaW9uIHNlcnZp"
              "Y2UgaGFzIGV2ZXIgdXNlZC4uLg=="},
    {"{X}", "E2GOT5LTUTP3OAMRCRXO4GSH6VKJEUOXZQUC336SRKAHTTT5OVSA"},
    {"{X2}", "TMBC2NKHVXAQ3QUXFEJB3GTDZBVV6FWU5Y2YYDFTHYAJ6BMVVZLQ"},
    {"{FP}", "0123456789ABCDEF0123456789ABCDEF01234567"},
    {"{FP2}", "FEDCBA9876543210FEDCBA9876543210FEDCBA98"},
    {"{B64}", "YSBrZXkgb2YgZXhhY3RseSAzMiBieXRlczogbm9uZS4="},
    {"{SP}", " "},
};

static inline bool table_append_word(struct buf *out, const char **at)
{
    for (size_t i = 0; i < sizeof table_words / sizeof *table_words; i++) {
        size_t len = strlen(table_words[i].name);
        if (strncmp(*at, table_words[i].name, len) != 0)
            continue;
        buf_append_string(out, table_words[i].text);
        *at += len;
        return true;
    }
    return false;
}

/* The text of one line, with its end. */
static inline void table_append(struct buf *out, const char *text)
{
    while (*text) {
        unsigned byte;
        if (*text == '{' && table_append_word(out, &text))
            continue;
        if (sscanf(text, "\\x%2x", &byte) == 1) {
            buf_append_char(out, (char)byte);
            text += 4;
        } else {
            buf_append_char(out, *text++);
        }
    }
    buf_append_string(out, "\r\n");
}

static inline void table_begin(struct table *table, char kind, const char *text)
{
    table_run_exchange(table);
    if (!table->file)
        return;
    if (!table->is_open)
        table_open(table);
    table->exchange.kind = kind;
    table->exchange.line = table->line;
    table_append(&table->exchange.input, text);
}

static inline void table_go_on(struct table *table, struct buf *into, bool *has, const char *text)
{
    if (!table->exchange.kind)
        table_fail(table, table->line, "nothing has begun to which this belongs");
    *has = true;
    table_append(into, text);
}

static inline void table_direct(struct table *table, const char *word, char *text)
{
    table_run_exchange(table);
    if (strcmp(word, "profile:") == 0) {
        char *copy = mem_copy_string(span_from_string(table->path));
        char *path = mem_printf("%s/%s", dirname(copy), text);
        table_load(table, path);
        free(path);
        free(copy);
    } else if (strcmp(word, "compat:") == 0) {
        char *path = mem_printf("%s/%s", getenv("TEST_COMPAT_DIR"), text);
        table->allows_warnings = true;
        table_load(table, path);
        free(path);
    } else if (strcmp(word, "control:") == 0) {
        table_close(table);
        table_set_control(table, text);
    } else if (strcmp(word, "client:") == 0) {
        table_close(table);
        table_set_client(table, text);
    } else if (strcmp(word, "nobody:") == 0) {
        table_close(table);
        table_set_client(table, text);
        table_expect_nobody(table);
    } else if (strcmp(word, "session") == 0) {
        table_close(table);
    } else {
        table_fail(table, table->line, "not a line of a table: %s", word);
    }
}

static inline void table_take_line(struct table *table, char *line)
{
    struct exchange *exchange = &table->exchange;
    char *text = strchr(line, ' ');
    bool unused;

    if (text)
        *text++ = '\0';
    else
        text = line + strlen(line);
    if (strcmp(line, ">") == 0) {
        table_begin(table, '>', text);
    } else if (strcmp(line, "refuse") == 0) {
        table_begin(table, 'r', text);
    } else if (strcmp(line, "event") == 0 || strcmp(line, "withheld") == 0) {
        table_begin(table, 'e', text);
        exchange->is_withheld = line[0] == 'w';
    } else if (strcmp(line, "|") == 0) {
        table_go_on(table, &exchange->input, &unused, text);
    } else if (strcmp(line, "=>") == 0 && strcmp(text, "nothing") == 0) {
        exchange->tor_gets_nothing = true;
    } else if (strcmp(line, "=>") == 0) {
        table_go_on(table, &exchange->to_tor, &exchange->has_to_tor, text);
    } else if (strcmp(line, "<") == 0) {
        table_go_on(table, &exchange->from_tor, &unused, text);
    } else if (strcmp(line, "<=") == 0) {
        table_go_on(table, &exchange->to_client, &exchange->has_to_client, text);
    } else {
        table_direct(table, line, text);
    }
}

static inline void table_init(struct table *table, const char *path)
{
    char local[] = "local";

    *table = (struct table){.path = path};
    struct buf *const bufs[] = {&table->tor_line,          &table->tor_got,
                                &table->client_got,        &table->exchange.input,
                                &table->exchange.to_tor,   &table->exchange.from_tor,
                                &table->exchange.to_client};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        buf_init(bufs[i], TABLE_MAX_TEXT);
    onion_registry_init(&table->registry);
    table_set_control(table, "\"unix:/run/tor/control\"");
    table_set_client(table, local);
}

/* Runs a whole table; `table` has what it was about, until table_clear. */
static inline void table_run(struct table *table, const char *path)
{
    struct buf text = table_read(path);

    table_init(table, path);
    buf_append_char(&text, '\0');
    char *next = mem_copy_string(span_first(buf_span(&text), text.len - 1)), *whole = next, *line;
    while ((line = strsep(&next, "\n"))) {
        table->line++;
        if (line[0] && line[0] != '#')
            table_take_line(table, line);
    }
    table_run_exchange(table);
    free(whole);
    buf_clear(&text);
}

static inline void table_clear(struct table *table)
{
    table_close(table);
    onion_registry_clear(&table->registry);
    policy_unref(table->policy);
    profile_file_unref(table->file);
    free(table->client.label);
    free(table->profile);
    free(table->control);
    struct buf *const bufs[] = {&table->tor_line,          &table->tor_got,
                                &table->client_got,        &table->exchange.input,
                                &table->exchange.to_tor,   &table->exchange.from_tor,
                                &table->exchange.to_client};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        buf_clear(bufs[i]);
}

#endif
