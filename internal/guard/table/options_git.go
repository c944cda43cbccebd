package table

// The tables of git. Not listed, and therefore refused, are options that open an
// editor or ask questions, run a program of the repository's choosing, read or
// write files that are not named as paths, rewrite a remote, or discard work.

// gitDiffRows are the options that log, diff and show share.
var gitDiffRows = []row{
	{names: "-p --patch -u -s --no-patch --raw --numstat --shortstat --summary --patch-with-stat --patch-with-raw --compact-summary --name-only --name-status --check --full-index --binary -z", why: "what is printed of a change"},
	{names: "--stat --dirstat", value: keyword, optional: true, why: "what is printed of a change"},
	{names: "--stat-width --stat-name-width --stat-count --stat-graph-width --inter-hunk-context", value: number, why: "layout"},
	{names: "-U --unified", value: number, why: "lines of context"},
	{names: "-W --function-context --no-function-context -a --text -R --pickaxe-all --pickaxe-regex --no-renames --rename-empty --no-rename-empty --no-prefix --default-prefix", why: "how changes are found and printed"},
	{names: "-w -b --ignore-all-space --ignore-space-change --ignore-space-at-eol --ignore-cr-at-eol --ignore-blank-lines --minimal --patience --histogram --indent-heuristic --no-indent-heuristic", why: "what counts as a change"},
	{names: "-I --ignore-matching-lines --anchored", value: text, why: "a pattern"},
	{names: "--diff-algorithm --diff-filter --ws-error-highlight --word-diff-regex --submodule-format", value: text, why: "what counts as a change; printed text"},
	{names: "-M -C -B --find-renames --find-copies --break-rewrites --abbrev --color --word-diff --color-moved --color-moved-ws", value: keyword, optional: true, why: "renames and decoration"},
	{names: "--color-words", value: text, optional: true, why: "a pattern"},
	{names: "-l", value: number, why: "effort for renames"},
	{names: "--find-copies-harder --no-color --no-abbrev --no-color-moved --no-ext-diff --no-textconv --exit-code --quiet -q", why: "decoration, and what the bridge adds anyway"},
	{names: "-S -G --src-prefix --dst-prefix --line-prefix", value: text, why: "a pattern; printed text"},
	{names: "--relative", value: workPath, optional: true, why: "a folder of the workspace"},
	{names: "--no-relative", why: "layout"},
	{names: "--ignore-submodules", value: keyword, optional: true, why: "submodules are always ignored"},
	{names: "--diff-merges", value: keyword, why: "how merges are printed"},
	{names: "-m -c --cc --dd --no-diff-merges --combined-all-paths", why: "how merges are printed"},
}

// gitLogRows are the options that log and show share.
var gitLogRows = []row{
	{names: "--oneline --graph --no-graph --abbrev-commit --no-abbrev-commit --no-decorate --clear-decorations --parents --children --left-right --source --no-notes --relative-date --use-mailmap --mailmap --no-mailmap --log-size --expand-tabs --no-expand-tabs --no-show-signature", why: "how commits are printed"},
	{names: "--format --pretty", value: custom, optional: true, check: checkPretty, why: "printed text; %G runs gpg"},
	{names: "--decorate --encoding", value: keyword, optional: true, why: "decoration"},
	{names: "--decorate-refs --decorate-refs-exclude", value: text, why: "decoration"},
	{names: "--date", value: text, why: "format of times"},
}

var gitWalkRows = []row{
	{names: "--all --reverse --merges --no-merges --first-parent --exclude-first-parent-only --cherry-pick --cherry-mark --cherry --left-only --right-only --topo-order --date-order --author-date-order --full-history --dense --sparse --simplify-merges --ancestry-path --boundary --show-pulls -g --walk-reflogs --simplify-by-decoration --no-walk --merge --follow --full-diff --remove-empty --reflog --count", why: "which commits are listed"},
	{names: "--branches --tags --remotes", value: text, optional: true, why: "which commits are listed"},
	{names: "--glob --exclude --author --committer --grep --grep-reflog --since --until --after --before --since-as-filter", value: text, why: "which commits are listed; patterns and times"},
	{names: "-i --regexp-ignore-case -E --extended-regexp -F --fixed-strings -P --perl-regexp --basic-regexp --all-match --invert-grep", why: "how patterns match"},
	{names: "-n --max-count --skip --min-parents --max-parents", value: number, why: "how many commits are listed"},
	{names: "--no-min-parents --no-max-parents", why: "which commits are listed"},
	{names: "-L", value: text, why: "lines of a tracked file"},
}

var gitStatusRows = []row{
	{names: "-s --short -b --branch --no-branch --long --show-stash --no-show-stash -z --no-column --ahead-behind --no-ahead-behind --renames --no-renames", why: "how the state is printed"},
	{names: "--porcelain -u --untracked-files --ignored --column --find-renames --ignore-submodules", value: keyword, optional: true, why: "what is listed"},
}

var gitBranchRows = []row{
	{names: "-a --all -r --remotes -l --list -v -vv --verbose --show-current -i --ignore-case --no-column -q --quiet --no-color --no-abbrev", why: "what is listed"},
	{names: "--merged --no-merged --contains --no-contains --points-at", value: text, optional: true, why: "which branches are listed"},
	{names: "--sort", value: text, why: "order"},
	{names: "--format", value: custom, check: checkRefFormat, why: "printed text; %(signature) runs gpg"},
	{names: "--column --color --abbrev", value: keyword, optional: true, why: "decoration"},
	{names: "-u --set-upstream-to", value: custom, check: checkRef, why: "notes a remote branch"},
	{names: "--unset-upstream --no-track", why: "notes a remote branch"},
	{names: "-t --track", value: keyword, optional: true, why: "notes a remote branch"},
	{names: "-d --delete -m --move -c --copy", why: "git refuses to lose commits without force"},
}

var gitAddRows = []row{
	{names: "-A --all --no-ignore-removal -u --update --no-all --ignore-removal -n --dry-run -v --verbose -N --intent-to-add --refresh --ignore-errors --ignore-missing", why: "which files are added"},
	{names: "--chmod", value: custom, check: oneOf("+x -x"), why: "the mode that is recorded"},
}

var gitCommitRows = []row{
	{names: "-m --message", value: text, why: "the message"},
	{names: "-a --all -q --quiet -s --signoff --no-signoff --amend --no-edit --allow-empty --dry-run --short --branch --porcelain --long --no-gpg-sign --reset-author -i --include -o --only --no-status", why: "what is recorded"},
	{names: "--author --date", value: text, why: "what is recorded"},
	{names: "--fixup", value: custom, check: checkRef, why: "a message for a later rebase"},
	{names: "--cleanup", value: custom, check: oneOf("strip whitespace verbatim default"), why: "the message"},
}

var gitPushRows = []row{
	{names: "-u --set-upstream --tags --follow-tags -n --dry-run -v --verbose -q --quiet --progress --no-progress --atomic --porcelain --all --branches --no-signed --thin --no-thin", why: "what is sent; nothing at the remote is lost"},
}

var gitPullRows = []row{
	{names: "--no-rebase --ff --ff-only --no-ff --no-edit --autostash --no-autostash --stat -n --no-stat -q --quiet -v --verbose -p --prune --tags --no-tags --all --progress --no-progress --dry-run --no-recurse-submodules --no-verify-signatures", why: "what is fetched and how it is joined"},
	{names: "-r --rebase", value: custom, optional: true, check: oneOf("true false merges"), why: "how it is joined"},
	{names: "--depth -j --jobs", value: number, why: "how much is fetched"},
}

var gitCheckoutRows = []row{
	{names: "-b", value: custom, check: checkBranchName, why: "a new branch; git refuses an existing one"},
	{names: "-q --quiet --progress --no-progress --detach -d --guess --no-guess --no-track --no-recurse-submodules", why: "how the branch is switched"},
	{names: "-t --track", value: keyword, optional: true, why: "notes a remote branch"},
}

var gitBlameRows = []row{
	{names: "-w -c -e -p -s -l -t -f -n -b --porcelain --line-porcelain --incremental --show-email --show-name --show-number --show-stats --root --first-parent --progress --no-progress --color-lines --color-by-age --minimal", why: "how lines are printed"},
	{names: "-L --since --until --after --before --date --ignore-rev", value: text, why: "which lines and commits"},
	{names: "-M -C --abbrev", value: keyword, optional: true, why: "how lines are followed"},
}

// gitOverrides are set with -c before every command. A repository's own
// configuration is not trusted; the command line is read last and takes
// precedence. Settings whose names depend on the configuration (filters, drivers,
// remotes) are added by [GitOverrides] when the plan runs.
var gitOverrides = []struct{ setting, why string }{
	{"core.fsmonitor=false", "a program that runs with every status"},
	{"core.hooksPath=/dev/null", "programs that run around commits, checkouts and pushes"},
	{"core.pager=cat", "a program that shows output"},
	{"core.editor=true", "a program that edits messages"},
	{"sequence.editor=true", "a program that edits rebases"},
	{"rebase.instructionFormat=%s", "a line of its text may be a command of the rebase"},
	{"interactive.diffFilter=cat", "a program that shows what is chosen"},
	{"core.askPass=true", "a program that asks for passwords"},
	{"core.sshCommand=ssh", "a program that connects"},
	{"core.gitProxy=none", "a program that connects"},
	{"core.alternateRefsCommand=true", "a program that lists refs"},
	{"core.attributesFile=/dev/null", "attributes that choose filters"},
	{"diff.external=", "a program that shows differences"},
	{"diff.ignoreSubmodules=all", "submodules have configuration of their own"},
	{"submodule.recurse=false", "submodules have configuration of their own"},
	{"fetch.recurseSubmodules=false", "submodules have configuration of their own"},
	{"push.recurseSubmodules=no", "submodules have configuration of their own"},
	{"status.submoduleSummary=false", "submodules have configuration of their own"},
	{"log.showSignature=false", "runs gpg"},
	{"commit.gpgSign=false", "runs gpg"},
	{"tag.gpgSign=false", "runs gpg"},
	{"push.gpgSign=false", "runs gpg"},
	{"merge.verifySignatures=false", "runs gpg"},
	{"gpg.program=/bin/false", "the program that is run as gpg"},
	{"gpg.openpgp.program=/bin/false", "the program that is run as gpg"},
	{"gpg.x509.program=/bin/false", "the program that is run as gpg"},
	{"gpg.ssh.program=/bin/false", "the program that is run as gpg"},
	{"gpg.ssh.defaultKeyCommand=", "a program that finds keys"},
	{"credential.helper=", "programs that give passwords; empty clears the list"},
	{"protocol.allow=never", "helpers for unknown kinds of address"},
	{"protocol.ext.allow=never", "addresses that are commands"},
	{"protocol.file.allow=never", "a local remote runs its own hooks"},
	{"protocol.https.allow=always", "the usual remotes"},
	{"protocol.ssh.allow=always", "the usual remotes"},
	{"protocol.http.allow=always", "the usual remotes"},
	{"gc.auto=0", "a process that outlives the command"},
	{"maintenance.auto=false", "a process that outlives the command"},
	{"blame.ignoreRevsFile=", "a file whose lines errors would print"},
	{"push.followTags=false", "pushes only what is named"},
	{"push.default=simple", "pushes only the branch that is checked out"},
	{"advice.detachedHead=false", "shorter output"},
}
