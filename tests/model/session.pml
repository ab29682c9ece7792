/* The order and the failures of one session.
 *
 * What src/session does with a client that pipelines and a tor that may do anything: answers in
 * turn, events between them, losses, a tor that lies or stands still, a profile that goes away. It
 * follows the code function by function; text, rules and sizes are left out (a length is a choice:
 * over the limit or not). Nothing is counted but what the code counts, so that a session of any
 * length is covered, with any number of commands, events and losses.
 *
 * Checked in every order in which things can happen:
 *   - the client gets one whole answer to each command, in the order of its commands, and nothing
 *     stands inside an answer or an event;
 *   - what is sent to tor is sent once, and the answer to it goes to who asked;
 *   - an event comes only while the client has asked for events; after a loss tor is asked again;
 *   - a service is deleted only for whom it belongs to, and its loss ends the session;
 *   - nothing of a lost connection is taken for something on the next one;
 *   - a session that ends by itself has answered everything, or stands in half a message;
 *   - each command is answered, or the session ends.
 *
 * A mark stands where the code goes one way or the other: README tells where in the code that is, and
 * which conversation shows it. The script "run" checks all of this, that each mark is reached, and that
 * each rule of the list below, left out, makes a check fail. */

hidden byte seen;
#define mark(name) seen = 1

/* --- bounds --- */

#ifndef MAX_PENDING
#define MAX_PENDING 2 /* the limit "commands" */
#endif
#ifndef WINDOW
#define WINDOW 2 /* SESSION_TOR_WINDOW */
#endif

/* The commands that there are. Together they are too many for each order of three. */
#ifndef WITH_ORDER
#define WITH_ORDER 0 /* large replies, heavy commands, PROTOCOLINFO, QUIT */
#endif
#ifndef WITH_EVENTS
#define WITH_EVENTS 0 /* SETEVENTS */
#endif
#ifndef WITH_SERVICES
#define WITH_SERVICES 0 /* ADD_ONION, DEL_ONION by `delete: own` */
#endif
#ifndef WITH_OWNERSHIP
#define WITH_OWNERSHIP 0 /* TAKEOWNERSHIP, DROPOWNERSHIP */
#endif
#ifndef FOLLOWS
#define FOLLOWS 0 /* tor-browser-mode: we ask for events, and for streams, ourselves */
#endif

/* A client may have asked for so many; one brings a question of ours along, a login two. */
#define MAX_QUEUE (MAX_PENDING + 3)

#define NOBODY MAX_QUEUE  /* the number of our own commands, and of answers to nothing */
#define NOWHERE MAX_QUEUE /* behind the queue */

#ifndef LIVENESS
#define LIVENESS 0 /* the claims at the end, instead of the assertions */
#endif

/* --- rules that can be left out: -DBREAK=... --- */

#ifndef BREAK
#define BREAK 0
#endif
#define BROKEN(rule) (BREAK == rule)

#define LOCAL_INSIDE 1      /* answers of ours do not wait for the end of tor's message */
#define OWED_KEPT 2         /* a loss leaves what tor owed */
#define MESSAGE_KEPT 3      /* after a loss we still stand in the old message */
#define TO_TOR_KEPT 4       /* what was not written yet goes to the new connection */
#define SENT_AGAIN 5        /* what was on its way is sent again after a loss */
#define LOST_UNTOLD 6       /* or dropped without an answer */
#define GREETING_WAITS 7    /* a loss leaves who waits for a greeting */
#define OWNER_STAYS 8       /* the loss of what the client owns does not end the session */
#define RESUBSCRIBE_NEVER 9 /* the events are not asked for again */
#define RESUBSCRIBE_LAST 10 /* or behind the commands that wait */
#define RESUBSCRIBE_TOLD 11 /* or the answer to that goes to the client */
#define EVENTS_AT_ONCE 12   /* events count before tor has granted them */
#define EVENTS_UNASKED 13   /* tor's events are passed, asked for or not */
#define SETEVENTS_SHORT 14  /* "nothing changes" while another SETEVENTS is on its way */
#define CLAIM_AT_ONCE 15    /* a claim is judged while an answer could still change it */
#define OVERTAKES 16        /* a new command does not wait behind those that wait */
#define WINDOW_OPEN 17      /* tor may be asked for everything at once */
#define SENDING_STOPS 18    /* an answer that made room sends nothing */
#define HALF_THEN_ANSWER 19 /* half a message, and answers behind it */
#define FAILS_UNTOLD 20     /* a failure ends the session before the answers */
#define STRAY_PASSED 21     /* an answer that nobody waits for is passed on */
#define NO_TIME_LIMIT 22    /* a tor that stands still is waited for */
#define QUIT_READS_ON 23    /* what stands behind QUIT is looked at */
#define EOF_AT_ONCE 24      /* the end of input ends the session before the answers, */
#define EOF_IN_EVENT 25     /* or inside an event, */
#define EOF_UNSEEN 26       /* or never */

/* --- words --- */

mtype = { REFUSED, QUIT, GREET, PLAIN, HEAVY, SUBSCRIBE, UNSUBSCRIBE, ADD, DELETE, TAKE, DROP,
          STATUS, PROBE, NOTHING };                      /* what is asked */
mtype = { LOCAL, GREETING, WAITING, SENT, RESUBSCRIBE }; /* enum pending_kind */
mtype = { ABSENT, LOGIN, READY };                        /* enum session_tor_state */
mtype = { NONE, REPLY, EVENT, DROPPED };                 /* enum session_message */
mtype = { CLOSES, GONE, READS };                         /* what else a client does */
mtype = { CONNECTED, LOST, SILENT, END };                /* what the shell says */
mtype = { WELCOME, REPLY_MID, REPLY_END, MISFIT, EVENT_MID, EVENT_BAD, EVENT_END,
          GARBAGE };                                     /* lines of tor's */

chan client = [0] of { mtype };
chan shell = [0] of { mtype };
chan tor = [0] of { mtype, byte, bool };       /* line; of an answer: whose, and is it a success */
chan to_tor = [WINDOW + 4] of { mtype, byte }; /* session->to_tor, and what tor has not read yet */

/* --- struct session --- */

typedef Pending {
    mtype kind;
    mtype sort;
    byte id
}

Pending queue[MAX_QUEUE];
byte queued;
mtype tor_state = ABSENT;
mtype message = NONE;
bool passed;        /* message_passed */
byte owed;
byte owed_weight;
bool input_closed;
bool client_eof;
bool client_gone;
bool clogged;       /* the outbox holds SESSION_REPLY_HOLD or more (that replies were large of late,
                       SESSION_TOR_BYTES, makes commands wait in the same way as the window) */
bool subscribed;    /* events */
bool service;       /* services */
bool owns_tor;
bool was_logged_in;
bool version_known; /* facts->version */
bool ended;         /* end_reason */

#define weight(sort) (sort == HEAVY -> WINDOW + 1 : 1)
#define needs_events (subscribed || (FOLLOWS && was_logged_in))
#define reads_client (!ended && !input_closed && queued < MAX_PENDING)
#define wants_tor (!ended && tor_state == ABSENT && (queued > 0 || needs_events))
#define awaits_tor (!ended && tor_state == READY && owed > 0)

/* --- tor's side of the connection --- */

mtype half_of = NOTHING; /* it is in the middle of the answer to this, */
byte half_id;            /* of this number, */
mtype half_event = NONE; /* or of an event: its last line but one */
bool told_event;         /* the last that it said was one */
bool mute;               /* it stands still */
bool lied;               /* it sent an answer to nothing: from here on they may be shifted */
bool tor_subscribed;
bool tor_service;

/* --- what the client knows --- */

byte taken;          /* commands without an answer */
bool odd;            /* changes with each answer */
bool is_sent[MAX_PENDING];
mtype inside = NONE; /* half a message is with it, or collected for it */
bool client_subscribed;
bool client_service;
bool client_owns_tor;

/* Commands are numbered from the oldest that has no answer. */
#define DOWN(number) (number == 0 || number == NOBODY -> NOBODY : number - 1)

inline count_down()
{
    d_step {
        taken--;
        odd = LIVENESS && !odd;
        do
        :: place < queued -> queue[place].id = DOWN(queue[place].id); place++
        :: else -> break
        od;
        place = len(to_tor);
        do
        :: place > 0 -> to_tor ? moved, moved_id; to_tor ! moved, DOWN(moved_id); place--
        :: else -> break
        od;
        moved = 0;
        moved_id = 0;
        half_id = (half_of == NOTHING -> 0 : DOWN(half_id));
        do
        :: place + 1 < MAX_PENDING -> is_sent[place] = is_sent[place + 1]; place++
        :: else -> break
        od;
        is_sent[place] = false;
        place = 0
    }
}

/* The client takes an answer. */
inline note_answer(number, sort_of, success)
{
    assert(number == 0);
    if
    :: success && sort_of == SUBSCRIBE -> client_subscribed = true
    :: success && sort_of == UNSUBSCRIBE -> client_subscribed = false
    :: success && sort_of == ADD -> client_service = true
    :: success && sort_of == DELETE -> client_service = false
    :: success && sort_of == TAKE -> client_owns_tor = true
    :: success && sort_of == DROP -> client_owns_tor = false
    :: else
    fi;
    count_down()
}

/* --- pending.c --- */

inline copy_entry(to, from)
{
    queue[to].kind = queue[from].kind;
    queue[to].sort = queue[from].sort;
    queue[to].id = queue[from].id
}

inline set_entry(to, kind_of, sort_of, number)
{
    queue[to].kind = kind_of;
    queue[to].sort = sort_of;
    queue[to].id = number
}

inline pending_pop()
{
    d_step {
        do
        :: place + 1 < queued -> copy_entry(place, place + 1); place++
        :: else -> break
        od;
        queued--;
        set_entry(queued, 0, 0, 0);
        place = 0
    }
}

/* pending_push_front, pending_push_second: commands of ours */
inline push_own(where, sort_of)
{
    d_step {
        place = queued;
        do
        :: place > where && !BROKEN(RESUBSCRIBE_LAST) -> copy_entry(place, place - 1); place--
        :: place <= where || BROKEN(RESUBSCRIBE_LAST) -> break
        od;
        set_entry(place, RESUBSCRIBE, sort_of, NOBODY);
        queued++;
        place = 0
    }
}

/* found = how many entries before a place are of that kind. */
#define COUNT(before, is_one) \
    d_step { \
        found = 0; \
        do \
        :: place < before -> found = found + (is_one -> 1 : 0); place++ \
        :: else -> break \
        od; \
        place = 0 \
    }

#define IS_WAITING (queue[place].kind == WAITING)
#define IS_OWED (queue[place].kind == SENT || queue[place].kind == RESUBSCRIBE)
#define CHANGES_SERVICES (queue[place].kind == SENT && \
                          (queue[place].sort == ADD || queue[place].sort == DELETE))
#define CHANGES_EVENTS (queue[place].kind == RESUBSCRIBE || (queue[place].kind != LOCAL && \
                        (queue[place].sort == SUBSCRIBE || queue[place].sort == UNSUBSCRIBE)))

/* --- session.c --- */

/* A line of tor's is put into the outbox. */
inline collect(what_of)
{
    if
    :: client_gone
    :: else -> assert(inside == NONE || inside == what_of); inside = what_of
    fi
}

/* outbox_rollback: what is with the client already stays there. */
inline roll_back()
{
    inside = (passed -> inside : NONE)
}

/* session_commit_piece */
inline commit_piece()
{
    if
    :: client_gone -> mark(discard); roll_back()
    :: !client_gone -> mark(long-message); passed = true
    :: !client_gone -> mark(short-message)
    fi
}

/* session_finish_message */
inline finish_message()
{
    inside = NONE;
    message = NONE;
    passed = false;
    if
    :: WITH_ORDER && !client_gone -> mark(clogged); clogged = true /* a large one */
    :: true
    fi
}

/* session_end */
inline end_session()
{
    if
    :: ended
    :: else -> roll_back(); ended = true; input_closed = true
    fi
}

/* session_pump */
inline pump()
{
    do
    :: !ended && queued > 0 && queue[0].kind == LOCAL &&
       (message == NONE || BROKEN(LOCAL_INSIDE)) ->
        if
        :: queue[0].sort == NOTHING -> mark(nobody-asked)
        :: else -> mark(deliver);
            assert(inside == NONE);
            note_answer(queue[0].id, queue[0].sort, true)
        fi;
        if
        :: queue[0].sort == QUIT -> mark(quit-ends); pending_pop(); end_session()
        :: else -> pending_pop()
        fi
    :: else -> break
    od;
    if
    :: client_eof && !BROKEN(EOF_UNSEEN) && (queued == 0 || BROKEN(EOF_AT_ONCE)) &&
       (message == NONE || BROKEN(EOF_IN_EVENT)) ->
        mark(eof-ends); end_session()
    :: else
    fi
}

/* session_give_up: 551, or nothing where we have asked ourselves */
inline give_up(entry)
{
    queue[entry].sort = (queue[entry].sort == PROBE || queue[entry].sort == NOTHING ||
                         BROKEN(LOST_UNTOLD) -> NOTHING : REFUSED);
    queue[entry].kind = LOCAL
}

/* session_fail; settle() delivers what is ready, and ends it. */
inline fail()
{
    in_pieces = message != NONE && passed && !BROKEN(HALF_THEN_ANSWER);
    roll_back();
    message = NONE;
    input_closed = true;
    if
    :: in_pieces -> mark(fail-in-pieces); cut = true; end_session()
    :: !in_pieces && BROKEN(FAILS_UNTOLD) -> end_session()
    :: else -> mark(fail);
        do
        :: each < queued && queue[each].kind == LOCAL -> each++
        :: each < queued && queue[each].kind != LOCAL -> give_up(each); each++
        :: each >= queued -> break
        od;
        each = 0;
        ends = true
    fi;
    in_pieces = false
}

/* --- session_services.c --- */

/* session_take_effect */
inline take_effect(sort_of)
{
    if
    :: sort_of == SUBSCRIBE -> mark(subscribe); subscribed = true
    :: sort_of == UNSUBSCRIBE -> mark(unsubscribe); subscribed = false
    :: sort_of == ADD -> mark(add-service); service = true
    :: sort_of == DELETE -> mark(delete-service); service = false
    :: sort_of == TAKE -> mark(take-ownership); owns_tor = true
    :: sort_of == DROP -> mark(drop-ownership); owns_tor = false
    :: else
    fi
}

/* --- session_tor.c, session_claims.c --- */

/* send_pending */
inline send(entry)
{
    if
    :: queue[entry].sort == PROBE
    :: else -> assert(!is_sent[queue[entry].id]); is_sent[queue[entry].id] = true
    fi;
    queue[entry].kind = SENT;
    owed++;
    owed_weight = owed_weight + weight(queue[entry].sort);
    assert(owed_weight <= WINDOW || owed == 1);
    to_tor ! queue[entry].sort, queue[entry].id;
    if
    :: BROKEN(EVENTS_AT_ONCE) -> take_effect(queue[entry].sort)
    :: else
    fi
}

/* take_turn: the entry stays WAITING if its turn has not come. */
inline take_turn(entry)
{
    COUNT(entry, CHANGES_SERVICES);
    if
    :: owed > 0 && !BROKEN(WINDOW_OPEN) &&
       (clogged || owed_weight + weight(queue[entry].sort) > WINDOW) -> mark(window)
    :: else ->
        if
        :: queue[entry].sort == DELETE && found > 0 && !BROKEN(CLAIM_AT_ONCE) -> mark(claim-waits)
        :: queue[entry].sort == DELETE && (found == 0 || BROKEN(CLAIM_AT_ONCE)) && !service ->
            mark(claim-fails);
            queue[entry].kind = LOCAL;
            queue[entry].sort = REFUSED
        :: else -> mark(send); send(entry)
        fi
    fi;
    found = 0
}

/* session_send_waiting, from `next` on */
inline send_waiting()
{
    do
    :: next < queued && queue[next].kind == GREETING -> mark(greet);
        queue[next].kind = LOCAL;
        next++
    :: next < queued && queue[next].kind == WAITING ->
        take_turn(next);
        if
        :: queue[next].kind == WAITING -> break
        :: else -> next++
        fi
    :: next < queued && queue[next].kind != GREETING && queue[next].kind != WAITING -> next++
    :: next >= queued -> break
    od;
    next = NOWHERE
}

/* What waits, if anything does, may be sent now. */
inline send_if_waiting()
{
    COUNT(queued, IS_WAITING);
    next = (found > 0 && !BROKEN(SENDING_STOPS) -> 0 : NOWHERE);
    found = 0
}

/* feed_login, resubscribe */
inline log_in()
{
    tor_state = READY;
    was_logged_in = FOLLOWS; /* where it matters */
    version_known = WITH_ORDER;
    next = 0;
    if
    :: !needs_events || BROKEN(RESUBSCRIBE_NEVER) -> mark(log-in)
    :: else ->
        mark(resubscribe);
        push_own(0, NOTHING);
        owed++;
        to_tor ! RESUBSCRIBE, NOBODY;
        if
        :: FOLLOWS -> mark(probe-first); push_own(1, PROBE); owed++; to_tor ! PROBE, NOBODY
        :: else
        fi
    fi
}

#define is_own(entry) (queue[entry].kind == RESUBSCRIBE || queue[entry].sort == PROBE)

/* finish_reply */
inline finish_reply()
{
    if
    :: is_own(0) && !success -> mark(resubscribe-refused); fails = true
    :: is_own(0) && success -> mark(resubscribed);
        if
        :: BROKEN(RESUBSCRIBE_TOLD) -> note_answer(NOBODY, NOTHING, true)
        :: else
        fi
    :: !is_own(0) ->
        if
        :: success -> mark(reply); take_effect(queue[0].sort)
        :: else -> mark(error-reply)
        fi;
        note_answer(queue[0].id, queue[0].sort, success)
    fi;
    if
    :: fails
    :: else ->
        finish_message();
        owed--;
        owed_weight = owed_weight - (queue[0].kind == SENT -> weight(queue[0].sort) : 0);
        pending_pop();
        send_if_waiting()
    fi
}

/* feed_reply, feed_plan */
inline feed_reply(line)
{
    if
    :: queued > 0 && (queue[0].kind == SENT || queue[0].kind == RESUBSCRIBE) ->
        assert(lied || number == queue[0].id);
        message = REPLY;
        collect(REPLY);
        if
        :: line == MISFIT -> mark(misfit); fails = true
        :: line == REPLY_MID && !is_own(0) -> commit_piece()
        :: line == REPLY_MID && is_own(0) -> mark(own-answer) /* a refusal: short */
        :: line == REPLY_END -> finish_reply()
        fi
    :: else ->
        assert(lied);
        if
        :: BROKEN(STRAY_PASSED) -> note_answer(number, NOTHING, true)
        :: else -> mark(unasked-reply); fails = true
        fi
    fi
}

/* session_feed_event. An EVENT_END without an EVENT_MID is an event of one line. */
inline feed_event(line)
{
    if
    :: message != NONE
    :: message == NONE && client_gone -> message = DROPPED
    :: message == NONE && !client_gone && !subscribed && !BROKEN(EVENTS_UNASKED) ->
        mark(event-not-asked); message = DROPPED
    :: message == NONE && !client_gone && subscribed -> mark(event-filtered); message = DROPPED
    :: message == NONE && !client_gone && (subscribed || BROKEN(EVENTS_UNASKED)) ->
        mark(event); message = EVENT
    fi;
    if
    :: message == DROPPED
    :: message == EVENT && line == EVENT_BAD && passed -> mark(event-bad-in-pieces); fails = true
    :: message == EVENT && line == EVENT_BAD && !passed ->
        mark(event-withheld); roll_back();
        message = DROPPED
    :: message == EVENT && line == EVENT_MID ->
        assert(client_subscribed || client_gone);
        collect(EVENT);
        commit_piece()
    :: message == EVENT && line == EVENT_END ->
        assert(client_subscribed || client_gone);
        collect(EVENT)
    fi;
    if
    :: line == EVENT_END && message == EVENT -> mark(event-ends); finish_message()
    :: line == EVENT_END && message == DROPPED -> message = NONE
    :: else
    fi
}

/* session_tor_input */
inline feed_tor(line)
{
    if
    :: line == GARBAGE -> mark(garbage); fails = true
    :: line == WELCOME -> log_in()
    :: line == REPLY_MID || line == REPLY_END || line == MISFIT -> feed_reply(line)
    :: line == EVENT_MID || line == EVENT_BAD || line == EVENT_END -> feed_event(line)
    fi
}

/* tor forgets what this connection had. */
inline hang_up()
{
    half_of = NOTHING;
    half_id = 0;
    half_event = NONE;
    told_event = false;
    mute = false;
    lied = false;
    tor_subscribed = false;
    tor_service = false
}

/* session_tor_lost: reset_connection, answer_lost */
inline lose_tor()
{
    in_pieces = message != NONE && passed && !BROKEN(HALF_THEN_ANSWER);
    roll_back();
    passed = false;
    tor_state = ABSENT;
    owed = (BROKEN(OWED_KEPT) -> owed : 0);
    owed_weight = (BROKEN(OWED_KEPT) -> owed_weight : 0);
    message = (BROKEN(MESSAGE_KEPT) -> message : NONE);
    do
    :: len(to_tor) > 0 && !BROKEN(TO_TOR_KEPT) -> to_tor ? _, _
    :: len(to_tor) == 0 || BROKEN(TO_TOR_KEPT) -> break
    od;
    hang_up();
    if
    :: in_pieces -> mark(lost-in-pieces); cut = true; end_session()
    :: else ->
        do
        :: each < queued && queue[each].kind == LOCAL -> each++
        :: each < queued && queue[each].kind == SENT && BROKEN(SENT_AGAIN) ->
            queue[each].kind = WAITING; /* BROKEN */
            each++                      /* BROKEN */
        :: each < queued && queue[each].kind == SENT && !BROKEN(SENT_AGAIN) ->
            mark(lost);
            give_up(each);
            each++
        :: each < queued && queue[each].kind == WAITING -> mark(unreachable); give_up(each); each++
        :: each < queued && queue[each].kind == GREETING -> mark(greet-without-tor);
            queue[each].kind = (BROKEN(GREETING_WAITS) -> GREETING : LOCAL);
            each++
        :: each < queued && queue[each].kind == RESUBSCRIBE -> mark(resubscribe-lost);
            give_up(each);
            each++
        :: each >= queued -> break
        od;
        each = 0;
        if
        :: (service || owns_tor) && !BROKEN(OWNER_STAYS) -> mark(owner-ends); ends = true
        :: else
        fi
    fi;
    in_pieces = false;
    lost = true
}

/* --- session_client.c --- */

/* take_command, session_queue_command */
inline take_command(sort_of)
{
    COUNT(queued, CHANGES_EVENTS);
    if
    :: sort_of == REFUSED -> mark(refuse); set_entry(queued, LOCAL, REFUSED, taken)
    :: sort_of == QUIT -> mark(quit);
        set_entry(queued, LOCAL, QUIT, taken);
        input_closed = !BROKEN(QUIT_READS_ON)
    :: sort_of == GREET && (version_known || tor_state == READY) -> mark(greet-at-once);
        set_entry(queued, LOCAL, sort_of, taken)
    :: sort_of == GREET && !(version_known || tor_state == READY) -> mark(greet-later);
        set_entry(queued, GREETING, sort_of, taken)
    :: (found == 0 || BROKEN(SETEVENTS_SHORT)) &&
       ((sort_of == SUBSCRIBE && subscribed) || (sort_of == UNSUBSCRIBE && !subscribed)) ->
        mark(nothing-changes); set_entry(queued, LOCAL, sort_of, taken)
    :: else -> mark(queue);
        COUNT(queued, IS_WAITING);
        next = (tor_state == READY && (found == 0 || BROKEN(OVERTAKES)) -> queued : NOWHERE);
        if
        :: FOLLOWS && sort_of == STATUS -> mark(probe);
            set_entry(queued, WAITING, PROBE, NOBODY);
            queued++
        :: else
        fi;
        set_entry(queued, WAITING, sort_of, taken)
    fi;
    found = 0;
    queued++;
    taken++
}

/* --- the session --- */

/* What is true behind each step. */
inline check()
{
    COUNT(queued, IS_OWED);
    d_step {
        if
        :: ended -> assert(stopped || cut || (queued == 0 && inside == NONE))
        :: else ->
            assert(!lost || (queued == 0 && !client_service && !client_owns_tor));
            assert(queued > 0 || taken == 0);
            assert(owed == found);
            if
            :: tor_state == READY && queued == 0 && !lied ->
                assert(subscribed == client_subscribed);
                assert(tor_subscribed == needs_events)
            :: else
            fi
        fi;
        lost = false;
        found = 0
    }
}

inline settle()
{
    if
    :: fails -> fail(); fails = false
    :: else -> send_waiting()
    fi;
    pump();
    if
    :: ends -> end_session(); ends = false
    :: else
    fi;
    check()
}

/* So that all ends are one. */
inline session_free()
{
    d_step {
        do
        :: queued > 0 -> queued--; set_entry(queued, 0, 0, 0)
        :: else -> break
        od;
        do
        :: len(to_tor) > 0 -> to_tor ? _, _
        :: len(to_tor) == 0 -> break
        od;
        do
        :: each < MAX_PENDING -> is_sent[each] = false; each++
        :: else -> break
        od;
        each = 0;
        hang_up();
        tor_state = ABSENT;
        message = NONE;
        passed = false;
        owed = 0;
        owed_weight = 0;
        client_gone = false;
        clogged = false;
        subscribed = false;
        service = false;
        owns_tor = false;
        was_logged_in = false;
        version_known = false;
        taken = 0;
        odd = false;
        inside = NONE;
        client_subscribed = false;
        client_service = false;
        client_owns_tor = false;
        cut = false;
        stopped = false
    }
}

proctype Session()
{
    mtype what;
    byte number;
    bool success;
    byte place, each, found;      /* in loops */
    mtype moved;
    byte moved_id;
    byte next = NOWHERE;          /* the first entry that may be sent now */
    bool in_pieces, lost;
    bool fails;                   /* session_fail */
    bool ends;                    /* behind what is ready */
    bool cut;                     /* it has ended in half a message, */
    bool stopped;                 /* or from outside */

end:
    do
    :: atomic {
        if
        :: client ? what ->
            if
            :: what == CLOSES -> mark(eof); input_closed = true; client_eof = true
            :: what == GONE -> mark(gone);
                input_closed = true;
                client_eof = true;
                client_gone = true;
                inside = NONE;
                clogged = false
            :: what == READS -> mark(read);
                clogged = false;
                if
                :: tor_state == READY -> send_if_waiting()
                :: else
                fi
            :: else -> take_command(what)
            fi
        :: shell ? what ->
            if
            :: what == CONNECTED -> mark(connect); tor_state = LOGIN
            :: what == LOST -> lose_tor()
            :: what == SILENT -> mark(silent); fails = true
            :: what == END -> mark(profile-gone); stopped = true; end_session()
            fi
        :: tor ? what, number, success ->
            if
            :: what == REPLY_END -> half_of = NOTHING; half_id = 0
            :: else
            fi;
            feed_tor(what)
        fi;
        settle();
        what = 0;
        number = 0;
        success = false;
        if
        :: ended -> session_free(); break
        :: else
        fi }
    od
}

/* --- the world --- */

proctype Client()
{
end:
    do
    :: atomic { reads_client ->
        if
        :: client ! REFUSED
        :: client ! PLAIN
        :: WITH_ORDER -> client ! HEAVY
        :: WITH_ORDER -> client ! GREET
        :: WITH_ORDER -> client ! QUIT
        :: WITH_EVENTS -> client ! SUBSCRIBE
        :: WITH_EVENTS -> client ! UNSUBSCRIBE
        :: FOLLOWS -> client ! STATUS
        :: WITH_SERVICES -> client ! ADD
        :: WITH_SERVICES -> client ! DELETE
        :: WITH_OWNERSHIP -> client ! TAKE
        :: WITH_OWNERSHIP -> client ! DROP
        fi }
    :: atomic { !ended && !client_eof -> client ! CLOSES }
    :: atomic { !ended && !client_gone -> client ! GONE }
    :: break
    od
}

/* The client reads; the shell ends the session of one who does not. */
proctype Reader()
{
end:
    do
    :: atomic { !ended && clogged -> client ! READS }
    od
}

/* Connects where the session wants it, and keeps time for a tor that stands still. */
proctype Shell()
{
end:
    do
    :: atomic { wants_tor ->
        if
        :: shell ! CONNECTED
        :: true -> mark(refused); shell ! LOST
        fi }
    :: atomic { !BROKEN(NO_TIME_LIMIT) && mute && awaits_tor -> shell ! SILENT }
    :: atomic { !ended && mute && tor_state == LOGIN -> mark(login-timeout); shell ! LOST }
    od
}

/* What tor makes of a command that it grants. */
inline grant(sort_of)
{
    if
    :: sort_of == SUBSCRIBE || sort_of == RESUBSCRIBE -> tor_subscribed = true
    :: sort_of == UNSUBSCRIBE -> tor_subscribed = FOLLOWS
    :: sort_of == ADD -> tor_service = true
    :: sort_of == DELETE -> tor_service = false
    :: else
    fi
}

/* The last line of an answer: refused, or granted where it can be. */
inline answer()
{
    if
    :: half_of != ADD || !tor_service -> grant(half_of); tor ! REPLY_END, half_id, true
    :: tor ! REPLY_END, half_id, false
    :: tor ! MISFIT, half_id, false
    fi
}

#define speaks (!ended && !mute && tor_state == READY)
#define is_between (half_of == NOTHING && half_event == NONE)

/* Answers in order, in one line or several; events between them, asked for or not. */
proctype Tor()
{
end:
    do
    :: atomic { !ended && !mute && tor_state == LOGIN ->
        if
        :: tor ! WELCOME, 0, true
        :: true -> mark(login-refused); shell ! LOST
        fi }
    :: atomic { speaks && is_between && len(to_tor) > 0 ->
        to_tor ? half_of, half_id;
        assert(half_of != DELETE || tor_service || lied);
        told_event = false;
        if
        :: tor ! REPLY_MID, half_id, true
        :: answer()
        fi }
    :: atomic { speaks && half_of != NOTHING -> answer() }
    :: atomic { WITH_EVENTS && speaks && is_between && !(told_event && len(to_tor) > 0) ->
        told_event = true; /* it comes to answers, too */
        if
        :: tor ! EVENT_END, 0, true
        :: half_event = EVENT_MID; tor ! EVENT_MID, 0, true
        :: half_event = EVENT_BAD; tor ! EVENT_BAD, 0, true
        fi }
    :: atomic { speaks && half_event != NONE ->
        if
        :: half_event == EVENT_MID -> half_event = EVENT_BAD; tor ! EVENT_BAD, 0, true
        :: half_event = NONE; tor ! EVENT_END, 0, true
        fi }
    od
}

/* What may happen at any time, or never. */
proctype Faults()
{
end:
    do
    :: atomic { !ended && tor_state != ABSENT -> shell ! LOST }
    :: atomic { awaits_tor -> shell ! SILENT }
    :: atomic { !ended && tor_state != ABSENT && !mute && half_event == NONE -> mute = true }
    :: atomic { !ended && tor_state != ABSENT && !mute -> tor ! GARBAGE, 0, false }
    :: atomic { speaks && is_between && !lied ->
        lied = true;
        if
        :: tor ! REPLY_END, NOBODY, true
        :: tor ! REPLY_END, NOBODY, false
        fi }
    :: atomic { !ended -> shell ! END }
    :: break
    od
}

#if !LIVENESS
/* Where nothing can move any more, nobody is left waiting. */
proctype Rest()
{
end:
    timeout -> assert(ended || (queued == 0 && message == NONE && !client_eof))
}
#endif

init {
    atomic {
        run Session();
        run Client();
        run Reader();
        run Shell();
        run Tor();
        run Faults();
#if !LIVENESS
        run Rest()
#endif
    }
}

#if LIVENESS
/* Each answer makes it odd or even: what holds for the one holds for the other. */
ltl answered { [] ((taken > 0 && !odd) -> <> (ended || taken == 0 || odd)) }
ltl closed { [] (client_eof -> <> ended) }
#endif
