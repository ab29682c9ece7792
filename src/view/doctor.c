/* Findings, from those that stop everything to those that are only worth knowing. */
#include "doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "doctor_parts.h"
#include "json.h"
#include "mem.h"
#include "shell_word.h"

#define LINE_MAX_BYTES 65536

/* --- findings --- */

void doctor_add(struct doctor_findings *findings, enum doctor_level level, const char *topic,
                char *remedy, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    va_start(arguments, format);
    int len = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (len < 0)
        abort();
    findings->items = mem_resize(findings->items, findings->count + 1, sizeof *findings->items);
    findings->items[findings->count++] =
        (struct doctor_finding){.level = level, .topic = topic, .text = text, .remedy = remedy};
    findings->levels[level]++;
}

void doctor_findings_clear(struct doctor_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        free(findings->items[i].text);
        free(findings->items[i].remedy);
    }
    free(findings->items);
    *findings = (struct doctor_findings){.items = NULL};
}

char *doctor_service(const struct doctor_facts *facts, const char *verb)
{
    return facts->daemon.has_systemd ? mem_printf("systemctl %s onion-grater", verb)
                                     : mem_printf("service onion-grater %s", verb);
}

char *doctor_command(const char *command, ...)
{
    struct buf text;
    va_list words;
    const char *word;

    buf_init(&text, LINE_MAX_BYTES);
    buf_append_string(&text, command);
    va_start(words, command);
    while ((word = va_arg(words, const char *))) {
        char *quoted = shell_word(word);
        buf_printf(&text, " %s", quoted);
        free(quoted);
    }
    va_end(words);
    char *copy = mem_copy_string(buf_span(&text));
    buf_clear(&text);
    return copy;
}

char *doctor_join(const struct doctor_list *list)
{
    struct buf text;

    buf_init(&text, LINE_MAX_BYTES);
    for (size_t i = 0; i < list->count; i++)
        buf_printf(&text, "%s%s", i > 0 ? ", " : "", list->items[i]);
    char *joined = mem_copy_string(buf_span(&text));
    buf_clear(&text);
    return joined;
}

void doctor_judge(const struct doctor_facts *facts, struct doctor_findings *findings_out)
{
    *findings_out = (struct doctor_findings){.items = NULL};
    doctor_judge_daemon(facts, findings_out);
    doctor_judge_policy(facts, findings_out);
    doctor_judge_tor(facts, findings_out);
    doctor_judge_account(facts, findings_out);
    doctor_judge_apparmor(facts, findings_out);
    doctor_judge_sockets(facts, findings_out);
    doctor_judge_others(facts, findings_out);
}

/* --- what is written --- */

static const struct {
    const char *name; /* for programs */
    const char *shown;
    enum page_tone tone;
} levels[] = {
    [DOCTOR_OK] = {"ok", "ok", PAGE_GOOD},
    [DOCTOR_NOT_SEEN] = {"not-seen", "not seen", PAGE_PLAIN},
    [DOCTOR_WARNING] = {"warning", "warning", PAGE_WARNING},
    [DOCTOR_PROBLEM] = {"problem", "PROBLEM", PAGE_PROBLEM},
};

static void append_count(struct buf *line, size_t count, const char *what)
{
    buf_printf(line, "%zu %s%s", count, what, count == 1 ? "" : "s");
}

static void write_summary(const struct doctor_findings *findings, struct page *page)
{
    struct buf line;

    buf_init(&line, LINE_MAX_BYTES);
    append_count(&line, findings->levels[DOCTOR_PROBLEM], "problem");
    buf_append_string(&line, ", ");
    append_count(&line, findings->levels[DOCTOR_WARNING], "warning");
    if (findings->levels[DOCTOR_NOT_SEEN] > 0)
        buf_printf(&line, ", %zu not seen: ask as root", findings->levels[DOCTOR_NOT_SEEN]);
    page_add(page, PAGE_PLAIN, SPAN(""));
    page_add(page, PAGE_PLAIN, buf_span(&line));
    buf_clear(&line);
}

void doctor_write_text(const struct doctor_findings *findings, unsigned width, struct page *page)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct doctor_finding *finding = &findings->items[i];
        page_add_named(page, levels[finding->level].tone, width, levels[finding->level].shown,
                       span_from_string(finding->text));
        /* Not folded: it is there to be copied. */
        if (finding->remedy)
            page_printf(page, PAGE_PLAIN, "%-*s-> %s", PAGE_NAME_WIDTH, "", finding->remedy);
    }
    write_summary(findings, page);
}

void doctor_write_json(const struct doctor_findings *findings, struct buf *out)
{
    struct json json;

    json_init(&json, out);
    json_open_object(&json);
    json_member_number(&json, "problems", findings->levels[DOCTOR_PROBLEM]);
    json_member_number(&json, "warnings", findings->levels[DOCTOR_WARNING]);
    json_member_number(&json, "not-seen", findings->levels[DOCTOR_NOT_SEEN]);
    json_key(&json, "findings");
    json_open_array(&json);
    for (size_t i = 0; i < findings->count; i++) {
        const struct doctor_finding *finding = &findings->items[i];
        json_open_object(&json);
        json_member_text(&json, "level", levels[finding->level].name);
        json_member_text(&json, "topic", finding->topic);
        json_member_text(&json, "text", finding->text);
        json_member_text(&json, "remedy", finding->remedy);
        json_close_object(&json);
    }
    json_close_array(&json);
    json_close_object(&json);
    buf_append_char(out, '\n');
}
