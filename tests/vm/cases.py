"""What is tried in the guests, and what the daemon has to make of it.

A case is one client. `steps` is its command line: a program in /run/t (a copy of client.c, whose
head explains the steps) or an absolute path, and what it does. Expected are:

  profile   whom the daemon takes it for; None: nobody
  label     what the log says about its AppArmor label and the evidence for it. EVIDENCE stands for
            what this kernel has: "kernel" from 6.17 on, "proc" before
  replies   what the client's questions got: the codes of the replies, or "closed"
  program   the executable that the log names, if it names one (it does where a profile asks);
            None: it names none
  ended     a part of the reason why the session ended
  missing   a part of the reason why no profile matches

Each may be by_kernel(...), where kernels differ. A program is no stronger than its kernel: on 6.1
nothing tells a process from another one that took its pid before the daemon looked, and before 6.17
nothing tells what a process was before it became the program that the daemon sees. What is left
then is that a writer of another kind ends the session.
"""

import typing


class ByKernel(typing.NamedTuple):
    values: dict


def by_kernel(proc, kernel, *, oldest=None):
    """One value where only /proc knows the label, another where the kernel says it; `oldest` where
    there is no SO_PEERPIDFD either."""
    return ByKernel({"6.1": proc if oldest is None else oldest, "6.12": proc, "new": kernel})


APP = 'label "app" by EVIDENCE evidence'
OTHER = 'label "other" by EVIDENCE evidence'
UNCONFINED = "unconfined by EVIDENCE evidence"
DIFFER = "no label: the kernel's label and /proc differ"
UNKNOWN = "no label: "
NESTED = "no label: the process is in a pid namespace, where others can write in its name"
NOT_ASKED = "no label: no profile asks for one"
OFF_LABEL = "no label: AppArmor is not enabled"
WRITER = "another process wrote"
CLIENT_ENDED = "client closed the connection"


class Case(typing.NamedTuple):
    name: str
    steps: str
    profile: object
    label: object
    replies: object = "250"
    program: object = ...  # by default the one in `steps`
    ended: object = ""
    missing: object = ""
    unit: object = None
    # How the guest goes about it.
    uid: typing.Optional[int] = None  # by default one of its own for each case
    groups: tuple = ()
    frozen: bool = False  # the daemon sleeps until the client is `ready`
    reuse: str = ""  # the pid of a connector that is gone goes to this program with its steps
    cgroup: str = ""  # the client starts in this one
    sysctl: str = ""  # this one is 1 meanwhile
    kernels: tuple = ("6.1", "6.12", "new")


# --- the daemon runs as root, everybody is offered everything -------------------------------------

ROOT = [
    Case("enforced client", "app connect control ask", "app", APP),
    Case("complaining client", "complaining connect control ask", "complaining",
         'label "complaining" by EVIDENCE evidence'),
    Case("unconfined client that nobody knows", "loose connect control ask", None, UNCONFINED,
         "510"),
    Case("unconfined client that is known by its path", "known connect control ask", "by-path",
         UNCONFINED),
    Case("profile without a name", "nameless connect control ask", "nameless",
         'label "/run/t/nameless" by EVIDENCE evidence'),
    Case("label with a space", "two-words connect control ask", "two-words",
         'label "two words" by EVIDENCE evidence'),
    Case("label that ends like a mode", "liar connect control ask", "no-mode",
         'label "app (complain)" by EVIDENCE evidence'),
    Case("label of 200 letters", "long connect control ask", None,
         'label "' + "l" * 200 + '" by EVIDENCE evidence', "510"),

    # Scripts.
    Case("script under its own profile", "script control", "script",
         'label "script" by EVIDENCE evidence', program="PYTHON"),
    Case("script that its interpreter was given", "PYTHON /run/t/script control", None, UNCONFINED,
         "510"),
    Case("script under aa-exec", "/usr/bin/aa-exec -p script -- PYTHON /run/t/script control",
         "script", 'label "script" by EVIDENCE evidence', program="PYTHON"),

    # Labels of several parts.
    Case("child profile", "app enter app//kid connect control ask", "kid",
         'label "app//kid" by EVIDENCE evidence', program="/run/t/app"),
    Case("stack of two profiles", "app stack other connect control ask", "pair",
         'label "app//&other" by EVIDENCE evidence'),
    Case("stack with unconfined is not the profile", "loose stack app connect control ask", None,
         'label "app//&unconfined" by EVIDENCE evidence', "510"),
    Case("namespace", "loose enter :inside:app connect control ask", "inside",
         'label ":inside:app" by EVIDENCE evidence'),
    Case("unconfined inside a namespace is not unconfined",
         "known enter :inside:unconfined connect unconfined-only ask", None, UNKNOWN, "510"),

    Case("unconfined program under aa-exec",
         "/usr/bin/aa-exec -p app -- /run/t/loose connect control ask", "app", APP,
         program="/run/t/loose"),
    Case("the same where the kernel restricts it",
         "loose onexec app exec loose connect control ask", None,
         'label "app//&unconfined" by EVIDENCE evidence', "510", kernels=("6.12", "new"),
         sysctl="kernel/apparmor_restrict_unprivileged_unconfined"),

    # A client that changes its profile. Once the daemon has looked the session keeps what it saw.
    Case("enters a profile before it makes its socket", "loose enter app connect control ask",
         "app", APP),
    Case("enters a profile between socket and connect",
         "loose socket enter app connect control ask",
         by_kernel("app", None), by_kernel(APP, DIFFER), by_kernel("250", "510")),
    Case("leaves a profile between socket and connect",
         "app socket enter unconfined connect control ask", None, by_kernel(UNCONFINED, DIFFER),
         "510"),
    Case("enters a profile before the daemon looks",
         "loose connect control enter app ready wait ask",
         by_kernel("app", None), by_kernel(APP, DIFFER), by_kernel("250", "510"), frozen=True),
    Case("leaves a profile before the daemon looks",
         "app connect control enter other ready wait ask",
         by_kernel("other", None), by_kernel(OTHER, DIFFER), by_kernel("250", "510"), frozen=True),
    Case("enters a profile before its first command", "loose connect control settle enter app ask",
         None, UNCONFINED, "510"),
    Case("leaves a profile before its first command", "app connect control settle enter other ask",
         "app", APP),
    Case("enters a profile in the middle of a command",
         "loose connect control half settle enter app rest ask", None, UNCONFINED, "510 510"),
    Case("leaves a profile in the middle of a command",
         "app connect control half settle enter other rest ask", "app", APP, "250 250"),
    Case("main thread outside, connecting thread inside the profile",
         "loose thread enter app connect control ask", None, by_kernel(UNCONFINED, DIFFER), "510"),
    Case("main thread inside the profile, connecting thread outside",
         "app thread enter unconfined connect control ask",
         by_kernel("app", None), by_kernel(APP, DIFFER), by_kernel("250", "510")),

    # A client that becomes another program.
    Case("becomes an allowed program before the daemon looks",
         "loose connect control exec app ready wait ask",
         by_kernel("app", None), by_kernel(APP, DIFFER), by_kernel("250", "510"),
         program="/run/t/app", frozen=True),
    Case("becomes an allowed program while a sibling writes",
         "loose connect control swap app wait ask",
         by_kernel("app", None), by_kernel(APP, DIFFER), by_kernel("closed", "510"),
         program="/run/t/app", ended=by_kernel(WRITER, ""), frozen=True),
    Case("becomes an allowed program after the daemon looked",
         "loose connect control ask exec app ask", None, UNCONFINED, "510 510"),
    Case("becomes an unconfined program after the daemon looked",
         "app connect control ask exec loose ask", "app", APP, "250 250"),

    # Others that write.
    Case("child that writes", "app connect control child ask", "app", APP),
    Case("child of another profile that writes", "app connect control child enter other ask",
         "app", APP, "closed", ended=WRITER),
    Case("socket passed to the same program", "app connect control ask pass app take ask", "app",
         APP, "250 250"),
    Case("socket passed to another allowed program", "app connect control ask pass other take ask",
         "app", APP, "250 closed", ended=WRITER),
    Case("socket passed to an unconfined program", "app connect control pass loose take ask",
         "app", APP, "closed", ended=WRITER),
    Case("socket of an unconfined program passed to an allowed one",
         "loose connect control pass app take ask", None, UNCONFINED, "510"),
    Case("socket passed on where any writer will do", "app connect portal ask pass other take ask",
         "portal", APP, "250 250"),
    Case("socket passed on in the middle of a command",
         "app connect control half pass other take rest", "app", APP, "closed", ended=WRITER),

    Case("socket passed on where only the user counts",
         "known connect anybody ask pass loose take ask", "anybody", NOT_ASKED, "250 250"),
    Case("socket passed to another user's program",
         "known connect anybody ask pass rooted take rise ask", "anybody", NOT_ASKED, "250 closed",
         ended=WRITER),

    # A connector that is gone.
    Case("connector gone before the daemon looks", "app connect control orphan ready wait ask",
         by_kernel(None, "app"), by_kernel(UNKNOWN, APP), by_kernel("510", "250"), program=None,
         frozen=True),
    Case("connector gone after the daemon looked",
         "app connect control ask orphan ask", "app", APP, "250 250"),
    Case("connector is a zombie when the daemon looks", "app zombie control ready wait ask",
         by_kernel(None, "app"), by_kernel(UNKNOWN, APP), by_kernel("510", "250"), program=None,
         frozen=True),
    Case("connector gone, its pid taken by an allowed program, then the daemon looks",
         "loose connect control orphan ready wait ask", by_kernel(None, None, oldest="app"),
         by_kernel(UNKNOWN, UNCONFINED, oldest=APP), by_kernel("510", "510", oldest="closed"),
         program=None, ended=by_kernel("", "", oldest=WRITER), frozen=True, reuse="app hold"),
    Case("connector gone after the daemon looked, its pid and its socket taken by another program",
         "app connect control ask orphan ready wait throw", "app", APP, "250 closed",
         ended=WRITER, reuse="other catch ask"),

    # Namespaces, in which any user is root. A root in there can write in the name of others.
    Case("client in a pid namespace", "/usr/bin/unshare -Upf /run/t/app connect control ask",
         by_kernel(None, "app"), by_kernel(NESTED, APP), by_kernel("510", "250"), program=None),
    Case("other file at the path of a known program",
         "/usr/bin/unshare -Urm /bin/sh -c 'mount --bind /run/t/loose /run/t/known && "
         "exec /run/t/known connect named-program ask'", None, NOT_ASKED, "510", program=None,
         missing="executable is not known"),
    Case("known program in a mount namespace",
         "/usr/bin/unshare -Urm /run/t/known connect named-program ask", "named-program", NOT_ASKED,
         program="/run/t/known"),

    # Users, groups, programs, units.
    Case("right user, right label", "app connect member ask", "member", APP, uid=1999),
    Case("wrong user, right label", "app connect member ask", None, NOT_ASKED, "510",
         missing="no profile lists this user"),
    Case("right user, wrong label", "other connect member ask", None, OTHER, "510", uid=1999,
         missing="lists the client's AppArmor label"),
    Case("root is nobody special", "app connect member ask", None, NOT_ASKED, "510", uid=0,
         missing="no profile lists this user"),
    Case("right supplementary group", "loose connect grouped ask", "grouped", NOT_ASKED,
         groups=(78, 77)),
    Case("wrong groups", "loose connect grouped ask", None, NOT_ASKED, "510", groups=(78,),
         missing="in none of the groups"),
    Case("right executable, unconfined", "known connect named-program ask", "named-program",
         NOT_ASKED),
    Case("wrong executable, unconfined", "loose connect named-program ask", None, NOT_ASKED, "510",
         missing="the client's executable"),
    Case("right label, right executable", "app connect both ask", "both", APP),
    Case("right label by aa-exec, wrong executable",
         "/usr/bin/aa-exec -p app -- /run/t/loose connect both ask", None, APP, "510",
         program="/run/t/loose", missing="the client's executable"),
    Case("right unit", "loose connect unit ask", "unit", NOT_ASKED,
         cgroup="system.slice/demo.service", unit="demo.service"),
    Case("wrong unit", "loose connect unit ask", None, NOT_ASKED, "510",
         cgroup="system.slice/demo2.service", unit="demo2.service", missing="systemd unit"),
    Case("unconfined where that is asked for", "loose connect unconfined-only ask",
         "unconfined-only", UNCONFINED),
    Case("confined where unconfined is asked for", "app connect unconfined-only ask", None, APP,
         "510"),

    # tor, which may be made to connect to us by an onion service.
    Case("tor itself", "TOR anybody", None, NOT_ASKED, "510", program="PYTHON",
         missing="the client is tor itself"),
    Case("tor's user under the label of another program", "app connect control ask", "app", APP,
         uid=4242),

    # How sure the daemon has to be.
    Case("profile that asks for the kernel's evidence", "app connect certain ask",
         by_kernel(None, "certain"), APP, by_kernel("510", "250"),
         missing=by_kernel("evidence", "")),
]

# --- over TCP, from this machine: everybody who holds the socket has to be the same ---------------

TCP = [
    Case("enforced client", "app tcp 9052 ask", "app", 'label "app" by holders evidence'),
    Case("unconfined client that is known by its path", "known tcp 9052 ask", "by-path",
         "unconfined by holders evidence"),
    Case("label that ends like a mode", "liar tcp 9052 ask", "no-mode",
         'label "app (complain)" by holders evidence'),
    Case("socket held by two processes of the same program",
         "app tcp 9052 child ready wait ask", "app", 'label "app" by holders evidence',
         frozen=True),
    Case("socket held by two processes of different labels",
         "app tcp 9052 child enter other ready wait ask", None,
         "no label: several different processes hold the connection", "510", program=None,
         frozen=True),
    Case("becomes an allowed program while a sibling writes", "loose tcp 9052 swap app wait ask",
         None, "no label: several different processes hold the connection", "510", program=None,
         frozen=True),
]

TCP_CERTAIN = [
    Case("enforced client over TCP", "app tcp 9052 ask", None, 'label "app" by holders evidence',
         "510", missing="evidence"),
]

# --- the configuration asks for the kernel's evidence ---------------------------------------------

CERTAIN = [
    Case("enforced client", "app connect control ask", by_kernel(None, "app"), APP,
         by_kernel("510", "250"), missing=by_kernel("evidence", "")),
    Case("profile that takes any evidence", "app connect lenient ask", "lenient", APP),
    Case("unconfined client that is known by its path", "known connect control ask", None,
         UNCONFINED, "510"),
    Case("profile that asks for no label", "loose connect anybody ask", "anybody", NOT_ASKED),
] + TCP_CERTAIN

# --- the daemon under its own AppArmor profile ----------------------------------------------------

USUAL = [case for case in ROOT if case.name in (
    "enforced client",
    "complaining client",
    "unconfined client that nobody knows",
    "unconfined client that is known by its path",
    "child profile",
    "script under its own profile",
    "socket passed to another allowed program",
    "socket passed to the same program",
    "connector gone before the daemon looks",
    "wrong user, right label",
    "right label, right executable",
    "right unit",
)]
CONFINED = USUAL + [case._replace(name=case.name + " over TCP") for case in TCP if not case.frozen]

# --- the daemon as a user without privileges: labels are there, executables are not ---------------

UNPRIVILEGED = [
    Case("enforced client", "app connect control ask", "app", APP, program=None),
    Case("unconfined client that is known by its path", "known connect control ask", None,
         UNCONFINED, "510", program=None),
    Case("right label, unknown executable", "app connect both ask", None, APP, "510", program=None,
         missing="executable is not known"),
    Case("socket passed to another allowed program", "app connect control ask pass other take ask",
         "app", APP, "250 closed", ended=WRITER, program=None),
    Case("enforced client over TCP", "app tcp 9052 ask", None,
         "no label: a process of this user cannot be looked at", "510",
         program=None),
]

# --- /proc hides the processes of others ----------------------------------------------------------

HIDDEN = [case for case in ROOT if case.name in (
    "enforced client",
    "unconfined client that is known by its path",
    "socket passed to another allowed program",
)]

HIDDEN_UNPRIVILEGED = [
    Case("enforced client", "app connect control ask", by_kernel(None, "app"),
         by_kernel(UNKNOWN, APP), by_kernel("510", "250"), program=None),
    Case("unconfined client that is known by its path", "known connect control ask", None,
         by_kernel(UNKNOWN, UNCONFINED), "510", program=None),
    Case("profile that asks for no label", "loose connect anybody ask", "anybody", NOT_ASKED,
         program=None),
]

# --- contained whole: no profile asks for what Landlock hides, and a wrong system call is the end --

FENCED = [case for case in ROOT if case.name in (
    "enforced client",
    "complaining client",
    "unconfined client that nobody knows",
    "child profile",
    "socket passed to another allowed program",
    "wrong user, right label",
    "right unit",
    "wrong unit",
)]

# --- AppArmor switched off at boot ----------------------------------------------------------------

OFF = [
    Case("profile that asks for a label", "app connect control ask", None, OFF_LABEL, "510",
         missing="AppArmor label is not known"),
    Case("right path, no label", "known connect control ask", None, OFF_LABEL, "510"),
    Case("profile that asks for a user and a label", "app connect member ask", None, OFF_LABEL,
         "510", uid=1999),
    Case("profile that asks for unconfined", "loose connect unconfined-only ask", None, OFF_LABEL,
         "510"),
    Case("profile that asks for a user", "loose connect anybody ask", "anybody", NOT_ASKED),
    Case("profile that asks for a group", "loose connect grouped ask", "grouped", NOT_ASKED,
         groups=(77,)),
    Case("profile that asks for an executable", "known connect named-program ask", "named-program",
         NOT_ASKED),
    Case("profile that asks for a unit", "loose connect unit ask", "unit", NOT_ASKED,
         cgroup="system.slice/demo.service", unit="demo.service"),
    Case("child that writes", "loose connect anybody child ask", "anybody", NOT_ASKED),
    Case("socket passed to another program", "known connect named-program ask pass loose take ask",
         "named-program", NOT_ASKED, "250 closed", ended=WRITER),
]


class Stage(typing.NamedTuple):
    """One run of the daemon."""
    name: str
    cases: list
    apparmor: bool = True  # whether it is switched on at boot
    config: str = ""
    confined: bool = False  # under the profile that we ship; nothing may be denied
    unprivileged: bool = False
    hidepid: bool = False
    says: object = ""  # a part of what the daemon says when it starts


FROM = by_kernel("labels come from /proc", "labels come from the kernel")
LISTEN = "listen-address: 127.0.0.1\nlisten-port: 9052\n"
FENCE = "profiles: [/etc/onion-grater/fenced]\ncontainment: required\n"
WHOLE = "containment: no_new_privs, Landlock, seccomp"
STAGES = [
    Stage("", ROOT, says=FROM),
    Stage("TCP: ", TCP, config=LISTEN, says=FROM),
    Stage("kernel-only: ", CERTAIN, config=LISTEN + "apparmor-evidence: kernel-only\n",
          says=by_kernel("apparmor-evidence is kernel-only, and this kernel", FROM.values["new"])),
    Stage("unprivileged daemon: ", UNPRIVILEGED, config=LISTEN, unprivileged=True, says=FROM),
    Stage("confined daemon: ", CONFINED, config=LISTEN, confined=True, says=FROM),
    Stage("hidepid: ", HIDDEN, hidepid=True, says=FROM),
    Stage("hidepid, unprivileged daemon: ", HIDDEN_UNPRIVILEGED, hidepid=True, unprivileged=True,
          says=FROM),
    Stage("contained daemon: ", FENCED, config=FENCE, confined=True, says=WHOLE),
    Stage("contained daemon, unprivileged: ", FENCED, config=FENCE, unprivileged=True, says=WHOLE),
    Stage("apparmor=0: ", OFF, apparmor=False, says="AppArmor is not enabled: clients have no "
          "label; users, groups, executables and units are checked"),
]
