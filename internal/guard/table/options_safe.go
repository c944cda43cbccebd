package table

// The tables of safe mode: programs that only read and print. Each row names
// options that are allowed, the kind of their value, and why. Intentionally not
// listed, and therefore refused, are options that write a file, run a program,
// read a list of files or options from a file, follow links out of a tree, or
// never end.

var helpRows = []row{
	{names: "--help --version", why: "prints about itself and ends"},
}

var catRows = []row{
	{names: "-A -b -e -E -n -s -t -T -u -v --show-all --number-nonblank --show-ends --number --squeeze-blank --show-tabs --show-nonprinting", why: "only changes how text is printed"},
}

var headRows = []row{
	{names: "-c -n --bytes --lines", value: number, why: "how much is printed"},
	{names: "-q -v -z --quiet --silent --verbose --zero-terminated", why: "headers and separators"},
}

// No -f -F --follow --retry (never end), --pid (waits for a process), -s.
var tailRows = headRows

// No --files0-from: its errors print the file's content.
var wcRows = []row{
	{names: "-c -m -l -L -w --bytes --chars --lines --max-line-length --words", why: "which counts are printed"},
	{names: "--total", value: keyword, why: "when a total is printed"},
}

var lsRows = []row{
	{names: "-a -A -b -B -c -C -d -f -F -g -G -h -H -i -k -l -m -n -N -o -p -q -Q -r -R -s -S -t -u -U -v -x -X -Z -1", why: "which metadata is printed, and in what order"},
	{names: "--all --almost-all --author --escape --ignore-backups --directory --file-type --full-time --group-directories-first --no-group --human-readable --si --inode --kibibytes --numeric-uid-gid --literal --hide-control-chars --show-control-chars --quote-name --reverse --recursive --size --context --zero", why: "the same, long"},
	{names: "-L --dereference --dereference-command-line", why: "describes a link's target; refused with -R, which would leave the tree"},
	{names: "--color --classify --hyperlink", value: keyword, optional: true, why: "decoration"},
	{names: "-w -T --width --tabsize --block-size", value: keyword, why: "layout"},
	{names: "-I --ignore --hide", value: text, why: "names left out; a pattern, not a file"},
	{names: "--sort --time --format --indicator-style --quoting-style", value: keyword, why: "order and layout"},
	{names: "--time-style", value: text, why: "format of times"},
}

var grepRows = []row{
	{names: "-E -F -G -P -i -y -w -x -z -s -v -b -n -H -h -o -q -a -I -L -l -c -T -Z -U -u", why: "how lines are matched and printed"},
	{names: "--extended-regexp --fixed-strings --basic-regexp --perl-regexp --ignore-case --no-ignore-case --word-regexp --line-regexp --null-data --no-messages --invert-match --byte-offset --line-number --line-buffered --with-filename --no-filename --only-matching --quiet --silent --text --files-without-match --files-with-matches --count --initial-tab --null --binary", why: "the same, long"},
	{names: "-r --recursive", why: "reads a tree; links inside it are not followed"},
	{names: "-R", runAs: "-r", why: "would follow links out of the tree: run as -r"},
	{names: "--dereference-recursive", runAs: "--recursive", why: "would follow links out of the tree: run as --recursive"},
	{names: "-e --regexp", value: text, why: "a pattern"},
	{names: "-f --file --exclude-from", value: readFile, why: "patterns from a file: the file must be readable itself, since matches show it"},
	{names: "-m -A -B -C --max-count --after-context --before-context --context", value: number, why: "how much is printed"},
	{names: "--exclude --exclude-dir --label", value: text, why: "patterns for names; printed text"},
	{names: "--include", value: custom, check: checkSearchGlob, why: "patterns for names; none that brings secret files back"},
	{names: "-d --directories", value: custom, check: oneOf("read skip recurse"), why: "folders"},
	{names: "-D --devices", value: custom, check: oneOf("skip"), why: "devices may only be skipped"},
	{names: "--binary-files", value: custom, check: oneOf("binary text without-match"), why: "binary files"},
	{names: "--color --colour", value: keyword, optional: true, why: "decoration"},
}

var dateRows = []row{
	{names: "-u --utc --universal -R --rfc-email --rfc-2822 --debug --resolution", why: "how the time is printed"},
	{names: "-I --iso-8601", value: keyword, optional: true, why: "how the time is printed"},
	{names: "--rfc-3339", value: keyword, why: "how the time is printed"},
	{names: "-d --date", value: custom, check: checkDate, why: "which time is printed"},
	{names: "-r --reference", value: readFile, why: "a file's time"},
}

// No -m -C (compile or load magic files), -f (a list of files), -z -Z (run
// decompressors), -s (reads devices), -S (turns off its own sandbox), -p (writes
// times).
var fileRows = []row{
	{names: "-b -i -h -k -n -N -r -v -0 -E -I --brief --mime --mime-type --mime-encoding --no-dereference --keep-going --no-buffer --no-pad --raw --print0 --extension --apple", why: "how the type is printed"},
	{names: "-L --dereference", why: "describes a link's target, which is checked"},
	{names: "-F -e --separator --exclude --exclude-quiet", value: text, why: "printed text; tests left out"},
}

var dfRows = []row{
	{names: "-a -h -H -i -k -l -m -P -T --all --human-readable --si --inodes --local --portability --print-type --total --no-sync", why: "how sizes are printed"},
	{names: "-t -x -B --type --exclude-type --block-size", value: keyword, why: "which systems, and units"},
	{names: "--output", value: keyword, optional: true, why: "columns"},
}

// No --files0-from, and no -L: it would leave the tree.
var duRows = []row{
	{names: "-a -b -c -D -H -h -k -l -m -P -s -S -x -0 --all --apparent-size --bytes --total --dereference-args --human-readable --count-links --no-dereference --null --separate-dirs --si --summarize --one-file-system --inodes", why: "what is counted and how it is printed"},
	{names: "-d -t -B --max-depth --threshold --block-size", value: keyword, why: "depth and units"},
	{names: "-X --exclude-from", value: readFile, why: "patterns from a file"},
	{names: "--exclude", value: text, why: "a pattern"},
	{names: "--time", value: keyword, optional: true, why: "which time"},
	{names: "--time-style", value: text, why: "format of times"},
}

// No -o and -R (write files), -l (follows links out of the tree), --fromfile,
// --info, --hintro, --houtro and --gitfile (read files that are not checked
// here). tree takes values only as separate words.
var treeRows = []row{
	{names: "-a -d -f -x -p -u -g -s -h -D -F -i -A -S -n -C -X -J -t -c -U -r -v -q -N -Q", why: "what is printed, and how"},
	{names: "--prune --noreport --dirsfirst --filesfirst --si --du --inodes --device --matchdirs --ignore-case --metafirst --gitignore --nolinks", why: "what is printed, and how"},
	{names: "-L", value: number, why: "depth"},
	{names: "-P -I", value: text, why: "patterns for names"},
	{names: "--filelimit", value: number, why: "how much is printed"},
	{names: "--sort --charset", value: keyword, why: "order and line drawing"},
	{names: "--timefmt", value: text, why: "format of times"},
}

var statRows = []row{
	{names: "-f -L -t --file-system --dereference --terse", why: "which metadata"},
	{names: "-c --format --printf", value: text, why: "printed text"},
	{names: "--cached", value: keyword, why: "how fresh"},
}

// No -l --paginate (runs pr), --to-file --from-file, --*-format and -D.
var diffRows = []row{
	{names: "-q -s -c -u -e -n -y -t -T -i -E -Z -b -w -B -a -N -p -d -H -P", why: "what counts as a difference, and how it is printed"},
	{names: "--brief --report-identical-files --side-by-side --rcs --ed --normal --expand-tabs --initial-tab --ignore-case --ignore-tab-expansion --ignore-trailing-space --ignore-space-change --ignore-all-space --ignore-blank-lines --text --new-file --unidirectional-new-file --show-c-function --minimal --speed-large-files --suppress-common-lines --left-column --strip-trailing-cr --ignore-file-name-case --no-ignore-file-name-case --suppress-blank-empty --no-dereference", why: "the same, long"},
	{names: "-r --recursive", why: "compares trees; the bridge adds --no-dereference"},
	{names: "-U -C -W --width --tabsize --horizon-lines", value: number, why: "how much is printed"},
	{names: "--unified --context", value: number, optional: true, why: "how much is printed"},
	{names: "-I -x -F -L -S --ignore-matching-lines --exclude --show-function-line --label --starting-file", value: text, why: "patterns and printed text"},
	{names: "-X --exclude-from", value: readFile, why: "patterns from a file"},
	{names: "--color", value: keyword, optional: true, why: "decoration"},
}

// No -s: it never ends.
var freeRows = []row{
	{names: "-b -k -m -g -h -w -t -l -v --bytes --kibi --mebi --gibi --tebi --kilo --mega --giga --tera --human --wide --total --lohi --si --committed --line -L", why: "units and columns"},
}

var (
	catSpec  = table(join(helpRows, catRows))
	headSpec = table(join(helpRows, headRows), withDigits)
	tailSpec = table(join(helpRows, tailRows), withDigits)
	wcSpec   = table(join(helpRows, wcRows))
	lsSpec   = table(join(helpRows, lsRows))
	grepSpec = table(join(helpRows, grepRows), withDigits)
	dateSpec = table(join(helpRows, dateRows))
	fileSpec = table(join(helpRows, fileRows))
	dfSpec   = table(join(helpRows, dfRows))
	duSpec   = table(join(helpRows, duRows))
	treeSpec = table(join(helpRows, treeRows), separateValues)
	statSpec = table(join(helpRows, statRows))
	diffSpec = table(join(helpRows, diffRows), withDigits)
	freeSpec = table(join(helpRows, freeRows))
	whoSpec  = table(helpRows)
)
