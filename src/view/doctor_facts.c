/* Facts own their texts; nothing here judges them. */
#include "doctor.h"

#include <stdlib.h>

#include "mem.h"

void doctor_facts_init(struct doctor_facts *facts)
{
    *facts = (struct doctor_facts){.is_root = false};
}

void doctor_list_add(struct doctor_list *list, const char *text)
{
    list->items = mem_resize(list->items, list->count + 1, sizeof *list->items);
    list->items[list->count++] = mem_copy_string(span_from_string(text));
}

static void list_clear(struct doctor_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
}

static void sockets_clear(struct doctor_sockets *sockets)
{
    for (size_t i = 0; i < sockets->count; i++) {
        free(sockets->items[i].path);
        free(sockets->items[i].owner);
        free(sockets->items[i].right_owner);
    }
    free(sockets->items);
    free(sockets->runtime_dir);
    free(sockets->dir_owner);
}

static void daemon_clear(struct doctor_daemon *daemon)
{
    free(daemon->problem);
    free(daemon->version);
    free(daemon->own_version);
    free(daemon->tor_problem);
    free(daemon->unit_load);
    free(daemon->unit_active);
    free(daemon->unit_enabled);
    list_clear(&daemon->reached);
}

static void ports_clear(struct doctor_ports *ports)
{
    for (size_t i = 0; i < ports->count; i++)
        free(ports->items[i].holder);
    free(ports->items);
}

void doctor_facts_clear(struct doctor_facts *facts)
{
    free(facts->policy.first_error);
    free(facts->policy.profiles_option);
    free(facts->tor.address);
    free(facts->tor.version);
    free(facts->tor.cookie);
    free(facts->account.user);
    free(facts->account.group);
    list_clear(&facts->account.others);
    list_clear(&facts->account.programs);
    free(facts->apparmor.mode);
    free(facts->apparmor.label);
    sockets_clear(&facts->sockets);
    daemon_clear(&facts->daemon);
    list_clear(&facts->old.processes);
    list_clear(&facts->old.files);
    list_clear(&facts->old.folders);
    ports_clear(&facts->ports);
    doctor_facts_init(facts);
}
