# The bash side of the session protocol: bash's first PROMPT_COMMAND. The next line runs the rest of this text, then the commands.
\builtin eval "${PROMPT_COMMAND#*$'\n'*$'\n'}"; \builtin eval "$__mm_loop"
# (That line stands up here because bash counts a command's lines from the line that runs it.)
#   in   ''                          ends whatever half line a stray byte left
#        '+PIECE'                    a piece of the command text, as `printf %b` reads it; none for an empty command
#        '!NONCE LENGTH MODE DEPTH'  run what was sent if it is LENGTH characters; MODE and DEPTH are not used here
#   out  '<<mm:begin:NONCE>>' ... output ... '<<mm:out:NONCE>>' '<<mm:end:NONCE:STATE:EXIT:>>'
#        STATE ok | failed (the last status was not 0) | aborted (Ctrl-C) | parse (nothing ran: the first line is no bash) |
#        garbled or unstarted (nothing ran: send it again); EXIT is the last status, or empty where nothing ran
# Measured on bash 5.2.15 in a terminal, Linux, two busy cores:
# - bash runs PROMPT_COMMAND again after a Ctrl-C, wherever that struck. Everything happens in it: bash's own reader, which would
#   execute a stray line, never gets one.
# - A Ctrl-C within the first millisecond of a command can come between bash and its child: bash waits for the child then, and a
#   second Ctrl-C ends both. Without job control (set +m) the same moment let 1 in 200 fall into an endless loop of signals.
# - A child that is hit between fork and exec runs PROMPT_COMMAND too, beside its parent (10 in 2,500 interrupts): it kills itself.
# - A signal makes bash drop the marker that it is printing, or the line that it is reading. So SIGINT is ignored while the end is
#   told, and only noted from then up to the begin: what is noted leaves the next command `unstarted`.
# - 5,500 commands interrupted 0 to 50 ms after their frame: every one was answered, and so was the next.
# - A round trip takes twice what a bare `echo` and a marker take (0.14 ms against 0.06); no process is started, but one where
#   the status is 2, to tell a command that is no bash from one that failed.
# - Descriptors are opened by /dev/tty each time: none is left for children, and what a command does to 0, 1 and 2 is its own affair.
#   Only where they are terminals they are opened anew before the next one: a child may have left O_NONBLOCK on them, and then
#   a program that prints much (`seq 1 100000`) loses most of it, with no error that the command could see.
builtin unset PROMPT_COMMAND HISTFILE MAILCHECK    # set again below, and not exported then
builtin set +o history +H
PS1= PS2=
__mm_nonce=boot __mm_begun=1 __mm_told= __mm_how=done __mm_left=0 __mm_code=0 __mm_cut= __mm_text=
# Tells how the last command went, waits for the next, and returns 0 when that may run. A function, because it is parsed once:
# aliases do not reach it; `builtin`, because functions would.
__mm_next() {
    [[ $BASHPID == "$$" ]] || builtin kill -9 "$BASHPID"
    builtin trap '' INT
    builtin set +ex    # these end with their command: -e would end the session at the next one that fails
    builtin local - REPLY text state exit rest nonce length mode depth failures
    builtin set +au
    if [[ ! $__mm_told ]]; then
        builtin printf -v PROMPT_COMMAND %s "$__mm_prompt"
        [[ ! ${!-} ]] || builtin jobs >&2    # ended ones leave the list; nobody is told between commands
        state=$__mm_how __mm_code=$1
        if [[ ! $__mm_begun ]]; then state=unstarted
        elif [[ $state == aborted ]]; then __mm_code=$__mm_left
        elif [[ $1 == 0 ]]; then state=ok
        # 2 is what eval returns for what is no bash, and many programs for something else. bash reads a line, runs it, reads
        # the next: the command ran in part unless `exit` on the same line does not run either.
        elif [[ $1 == 2 ]] && ! (builtin eval "\\builtin exit 0; $__mm_text"); then state=parse
        else state=failed; fi
        exit=$__mm_code
    fi
    while :; do
        [[ $__mm_told ]] || builtin printf '<<mm:out:%s>>\n<<mm:end:%s:%s:%s:>>\n' "$__mm_nonce" "$__mm_nonce" "$state" "$exit"
        __mm_told=1 __mm_cut= text= failures=0
        builtin trap '__mm_cut=1' INT
        while :; do
            if builtin read -r; then failures=0    # into REPLY: IFS plays no part
            elif (($? > 128)); then continue       # TMOUT, or a signal
            elif ((++failures < 20)); then continue
            else return 1; fi                      # the terminal is gone
            case $REPLY in
            +*) text+=${REPLY#+} ;;
            !*)
                rest=${REPLY#!}
                nonce=${rest%% *} rest=${rest#* }
                length=${rest%% *} rest=${rest#* }
                mode=${rest%% *} depth=${rest#* }
                [[ $REPLY == "!$nonce $length $mode $depth" && ${#nonce} == 16 && $nonce != *[!0-9a-f]* && $mode == @(text|records) &&
                    $length == [0-9]* && $depth == [0-9]* && $length$depth != *[!0-9]* ]] && break
                ;;
            esac
        done
        __mm_nonce=$nonce __mm_begun= __mm_told= exit=
        if [[ ${#text} != "$length" ]]; then state=garbled
        elif [[ $__mm_cut ]]; then state=unstarted
        else
            builtin printf -v __mm_text %b "$text"
            __mm_begun=1 __mm_how=done
            until builtin printf '<<mm:begin:%s>>\n' "$nonce"; do :; done    # a signal fails it
            builtin trap - INT
            [[ $__mm_cut ]] || return 0
            builtin trap '' INT
            state=aborted exit=130
        fi
    done
} <>/dev/tty >&0 2>/dev/null
# So that a command's $? is the last one's status, without an ERR trap's noticing. Outside of __mm_next, whose redirections end with it, and
# not `builtin exec`, whose own do too; a function called exec only makes it do nothing.
__mm_was() {
    if [[ -t 0 && -t 1 && -t 2 ]]; then exec 0<>/dev/tty 1>&0 2>&0
    else
        [[ ! -t 0 ]] || exec 0<>/dev/tty
        [[ ! -t 1 ]] || exec 1<>/dev/tty
        [[ ! -t 2 ]] || exec 2<>/dev/tty
    fi
    builtin return "$__mm_code"
}
# What the daemon asks: whether programs are looked for where they were when the session began, with none remembered under a name, and
# what each of the names is. A function, for the same reasons as above; it does not see what runs beside commands (`trap -p`).
__mm_path=$PATH
__mm_what() {
    builtin hash -r
    builtin local name path=changed
    [[ $PATH != "$__mm_path" ]] || path=same
    for name; do builtin printf '%s\t' "$name"; builtin type -t -- "$name" || builtin printf '\n'; done
    builtin printf '*path\t%s\n' "$path"
}
# At global scope, so that `declare` means what it says. `continue` and `break` in a command end it; after `break` the loop begins again.
__mm_loop='while __mm_next "$?" || \builtin exit 1; do if __mm_was; then \builtin eval "$__mm_text"; else \builtin eval "$__mm_text"; fi; done; \builtin eval "$__mm_loop"'
__mm_prompt=$'__mm_left=$? __mm_how=aborted\n\\builtin eval "$__mm_loop"'
builtin readonly -f __mm_next __mm_was __mm_what
builtin readonly __mm_loop __mm_prompt __mm_path
