/* A list rather than a ring: most sessions have nothing pending most of the time, and an idle
 * session should cost next to nothing. */
#include "pending.h"

#include <stdlib.h>

#include "command.h"
#include "mem.h"

/* A reply that a profile gives is bounded by the profile's own size. */
#define PENDING_MAX_TEXT (1024 * 1024)

static struct pending *pending_new(enum pending_kind kind, const struct keyword *keyword)
{
    struct pending *pending = mem_zalloc(1, sizeof *pending);

    pending->kind = kind;
    pending->keyword = keyword;
    buf_init(&pending->text, PENDING_MAX_TEXT);
    buf_init(&pending->data, COMMAND_MAX_DATA);
    return pending;
}

static void pending_free(struct pending *pending)
{
    buf_wipe(&pending->text);
    buf_wipe(&pending->data);
    reply_plan_free(pending->plan);
    event_set_free(pending->events);
    free(pending);
}

size_t pending_held(const struct pending_queue *queue)
{
    size_t held = 0;

    for (const struct pending *p = queue->head; p; p = p->next) {
        held += sizeof *p + p->text.cap + p->data.cap + event_set_held(p->events);
        if (p->plan)
            held += reply_plan_held(p->plan);
    }
    return held;
}

struct pending *pending_push(struct pending_queue *queue, enum pending_kind kind,
                             const struct keyword *keyword)
{
    struct pending *pending = pending_new(kind, keyword);

    if (queue->tail)
        queue->tail->next = pending;
    else
        queue->head = pending;
    queue->tail = pending;
    queue->count++;
    return pending;
}

struct pending *pending_push_front(struct pending_queue *queue, enum pending_kind kind,
                                   const struct keyword *keyword)
{
    struct pending *pending = pending_new(kind, keyword);

    pending->next = queue->head;
    queue->head = pending;
    if (!queue->tail)
        queue->tail = pending;
    queue->count++;
    return pending;
}

struct pending *pending_push_second(struct pending_queue *queue, enum pending_kind kind,
                                    const struct keyword *keyword)
{
    struct pending *head = queue->head;

    if (!head || head == queue->tail)
        return pending_push(queue, kind, keyword);
    struct pending *pending = pending_new(kind, keyword);
    pending->next = head->next;
    head->next = pending;
    queue->count++;
    return pending;
}

void pending_pop(struct pending_queue *queue)
{
    struct pending *head = queue->head;

    if (!head)
        return;
    queue->head = head->next;
    if (!queue->head)
        queue->tail = NULL;
    queue->count--;
    pending_free(head);
}

void pending_clear(struct pending_queue *queue)
{
    while (queue->head)
        pending_pop(queue);
}
