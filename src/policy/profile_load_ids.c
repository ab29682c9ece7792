/* Names of users and groups to numbers.
 *
 * A look-up may go over the network, and a file may have the same name in each of its profiles: of
 * each name the answer is kept until the file is read. */
#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "profile_load_parts.h"

struct known_id {
    const struct id_kind *kind;
    char *name; /* owned */
    bool is_found;
    id_t id;
};

static bool find_user(const struct name_resolver *resolver, const char *name, id_t *id_out)
{
    uid_t uid = 0;
    bool is_found = resolver->user(resolver->context, name, &uid);

    *id_out = uid;
    return is_found;
}

static bool find_group(const struct name_resolver *resolver, const char *name, id_t *id_out)
{
    gid_t gid = 0;
    bool is_found = resolver->group(resolver->context, name, &gid);

    *id_out = gid;
    return is_found;
}

const struct id_kind load_user_kind = {"user", find_user};
const struct id_kind load_group_kind = {"group", find_group};

static bool find_number(const char *name, id_t *id_out)
{
    unsigned long number = 0;

    /* The largest number is the kernel's word for "none". */
    if (!span_to_number(span_from_string(name), UINT32_MAX - 1, &number))
        return false;
    *id_out = (id_t)number;
    return true;
}

/* For tsearch: by kind, then by name. */
static int compare_known(const void *left, const void *right)
{
    const struct known_id *a = left, *b = right;

    if (a->kind != b->kind)
        return a->kind == &load_user_kind ? -1 : 1;
    return strcmp(a->name, b->name);
}

static struct known_id *make_known(const struct load *load, const struct id_kind *kind,
                                   const char *name)
{
    struct known_id *known = mem_zalloc(1, sizeof *known);

    known->kind = kind;
    known->name = mem_copy_string(span_from_string(name));
    known->is_found = kind->find(load->resolver, name, &known->id) || find_number(name, &known->id);
    return known;
}

bool load_find_id(struct load *load, const struct id_kind *kind, const char *name, id_t *id_out)
{
    const struct known_id wanted = {.kind = kind, .name = (char *)(uintptr_t)name};
    struct known_id *const *slot = tfind(&wanted, &load->known_ids, compare_known);

    if (!slot) {
        struct known_id *known = make_known(load, kind, name);
        slot = tsearch(known, &load->known_ids, compare_known);
        if (!slot)
            abort();
    }
    if ((*slot)->is_found)
        *id_out = (*slot)->id;
    return (*slot)->is_found;
}

static void free_known(void *known)
{
    free(((struct known_id *)known)->name);
    free(known);
}

void load_forget_ids(struct load *load)
{
    tdestroy(load->known_ids, free_known);
    load->known_ids = NULL;
}
