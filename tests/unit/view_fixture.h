/* Answers of the daemon and pages, for the tests of src/view. */
#ifndef OG_VIEW_FIXTURE_H
#define OG_VIEW_FIXTURE_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "mem.h"
#include "page.h"
#include "user_names.h"

static inline const char *fixture_user_name(void *context, unsigned long uid)
{
    (void)context;
    return uid == 0 ? "root" : uid == 1000 ? "alice" : NULL;
}

static const struct user_names fixture_names = {.find = fixture_user_name};

/* The lines, which end with NULL. */
static inline struct answer fixture_answer(const char *const *lines)
{
    struct answer answer;

    answer_init(&answer);
    for (; *lines; lines++) {
        cr_assert(record_is_sound(span_from_string(*lines)), "%s", *lines);
        cr_assert(answer_add(&answer, span_from_string(*lines)));
    }
    return answer;
}

/* The page as text without colours, which the caller frees; the page is gone. */
static inline char *fixture_text(struct page *page)
{
    struct buf out;

    buf_init(&out, 1024 * 1024);
    page_write(page, false, &out);
    char *text = mem_copy_string(buf_span(&out));
    buf_clear(&out);
    page_clear(page);
    return text;
}

static inline void fixture_expect_page(struct page *page, const char *expected, const char *what)
{
    char *text = fixture_text(page);

    cr_expect_str_eq(text, expected, "%s:\n%s", what, text);
    free(text);
}

#endif
