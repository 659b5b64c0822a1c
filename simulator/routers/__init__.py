"""Simulated routers over real SSH: Huawei VRP, H3C Comware 7, Ruijie RGOS, and Linux with FRR.

**A test double, written from public knowledge of these command lines. It proves our logic, not the vendors'
behaviour.** Where no public source says what a box answers, the text here is a guess, and a transcript from a real
device always wins.

    language    a platform's grammar as data: ``personalities/*.yml``
    shape       one line of that grammar, matched word by word
    tree        a configuration as nested lines
    editing     what a configuration line does to the tree: replace, merge, undo, refuse
    ciphers     secrets as the vendors show them; decided by the plain text, never showing it
    reading     what a configuration means: users, addresses, routes, whether the manager gets through
    device      one router: running and startup configuration, timers, files, what is wrong with it
    timers      its clock: an event loop's, or one turned by hand
    scheduler   Comware's jobs and schedules
    console     a vendor's command line: views, questions, answers; no sockets
    displays    what its ``display`` and ``show`` commands print
    shell       the Linux shell of an FRR box: just the commands that a change needs
    shell_files its commands about files; shell_words: how it takes a line apart
    terminal    a console on an SSH channel: echo, paging
    gate        the wire between a client and a router: slow, or silent
    fleet       one process, one socket, every router of a county on its own address
    wiring      a county's routers out of its inventory, and what they do to the county
"""
