package table

// The tables of the programs that run a project's own code. Not listed, and
// therefore refused, are inline code, modules to load first, other configuration
// files, other locations for packages (index, registry, prefix, target folder),
// other toolchains, and options that upload, delete a given folder, or never end.

// npm reads an option as a whole token, and a value from the next token.
var npmCommonRows = []row{
	{names: "-s --silent --quiet -q --verbose -d -dd -ddd", why: "how much is printed"},
	{names: "--loglevel --color --progress", value: keyword, why: "how much is printed"},
	{names: "--no-color --no-progress --no-update-notifier --json --parseable --long", why: "how results are printed"},
	{names: "-w --workspace", value: custom, check: checkNpmWorkspace, why: "a package of this project"},
	{names: "-ws --workspaces --no-workspaces --include-workspace-root --if-present", why: "packages of this project"},
	{names: "--offline --prefer-offline", why: "less network"},
	{names: "--ignore-scripts", why: "runs less"},
	{names: "--version -v --help -h", why: "prints about itself"},
}

var npmInstallRows = []row{
	{names: "-D --save-dev -P --save-prod -O --save-optional -E --save-exact -S --save --no-save --save-peer --legacy-peer-deps --strict-peer-deps --package-lock-only --no-package-lock --no-audit --no-fund --no-optional --production --dry-run --no-bin-links --prefer-dedupe", why: "what is installed and recorded"},
	{names: "--omit --include", value: custom, check: oneOf("dev optional peer prod"), why: "what is installed"},
	{names: "--audit --fund", value: custom, check: oneOf("true false"), why: "what is printed"},
	{names: "--install-strategy", value: custom, check: oneOf("hoisted nested shallow linked"), why: "layout of node_modules"},
}

var pipCommonRows = []row{
	{names: "-q -qq -v -vv --quiet --verbose --no-input --disable-pip-version-check --no-color --help -h", why: "how much is printed"},
	{names: "--retries --timeout", value: number, why: "patience"},
	{names: "--exists-action", value: custom, check: oneOf("i"), why: "ignores what already exists"},
}

// No -i --index-url --extra-index-url -f --find-links --trusted-host --proxy
// --cert, -t --target --prefix --root --src, --python, --config-settings,
// --global-option, --report, --log, --cache-dir, --break-system-packages.
var pipInstallRows = []row{
	{names: "-U --upgrade --user --no-user --no-deps --pre --force-reinstall -I --ignore-installed --no-cache-dir --no-build-isolation --no-compile --no-clean --require-hashes --prefer-binary --no-warn-script-location --no-warn-conflicts --dry-run --require-virtualenv --no-index", why: "what is installed"},
	{names: "--upgrade-strategy", value: custom, check: oneOf("eager only-if-needed"), why: "what is installed"},
	{names: "--progress-bar", value: custom, check: oneOf("on off raw"), why: "decoration"},
	{names: "--only-binary --no-binary", value: custom, check: checkBinaries, why: "what is installed"},
	{names: "-r --requirement -c --constraint", value: custom, check: checkPipFolder, why: "a list of packages in the workspace"},
	{names: "-e --editable", value: custom, check: checkPipFolder, why: "a package in the workspace"},
}

var pipListRows = []row{
	{names: "-o --outdated -u --uptodate -e --editable --exclude-editable --include-editable -l --local --user --pre --not-required", why: "what is listed"},
	{names: "--format", value: custom, check: oneOf("columns freeze json"), why: "how it is printed"},
	{names: "--exclude", value: keyword, why: "what is listed"},
}

var pipShowRows = []row{
	{names: "-f --files", why: "what is printed"},
}

// No -c, -i, -, -x, --check-hash-based-pycs.
var pythonRows = []row{
	{names: "-B -O -OO -E -I -P -s -S -u -v -q -b -bb -d", why: "how the interpreter behaves; nothing is loaded from elsewhere"},
	{names: "-W", value: custom, check: checkPythonWarning, why: "which warnings are shown"},
	{names: "-X", value: custom, check: oneOf("dev utf8 utf8=1 utf8=0 faulthandler tracemalloc importtime no_debug_ranges"), why: "how the interpreter behaves"},
	{names: "-V -VV --version -h --help", why: "prints about itself"},
}

var unittestRows = []row{
	{names: "-v --verbose -q --quiet -f --failfast -b --buffer -c --catch --locals -h --help", why: "how tests run"},
	{names: "-k", value: text, why: "which tests"},
	{names: "-s --start-directory -t --top-level-directory", value: workPath, why: "where the tests are"},
	{names: "-p --pattern", value: text, why: "which files"},
}

// No -e -p -i -r --require --import --loader -c, --env-file, --inspect*,
// --watch, --run, --eval.
var nodeRows = []row{
	{names: "--trace-warnings --no-warnings --trace-deprecation --no-deprecation --throw-deprecation --trace-uncaught --enable-source-maps --pending-deprecation --preserve-symlinks --check --expose-gc --abort-on-uncaught-exception --experimental-vm-modules --experimental-strip-types --experimental-transform-types --experimental-test-coverage --no-experimental-strip-types --experimental-modules --experimental-sqlite --experimental-fetch --trace-exit --unhandled-rejections=strict --unhandled-rejections=warn --prof-process", why: "how the program behaves; nothing else is loaded"},
	{names: "--max-old-space-size --max-semi-space-size --stack-size --stack-trace-limit", value: number, why: "memory"},
	{names: "--unhandled-rejections", value: custom, check: oneOf("strict warn none throw warn-with-error-codes"), why: "how the program behaves"},
	{names: "--test --test-only --test-force-exit", why: "runs the project's tests"},
	{names: "--test-name-pattern --test-skip-pattern --test-shard", value: text, why: "which tests"},
	{names: "--test-reporter", value: custom, check: oneOf("spec tap dot junit lcov"), why: "how results are printed"},
	{names: "--test-concurrency --test-timeout", value: number, why: "how tests run"},
	{names: "-v --version -h --help", why: "prints about itself"},
}

// No -p -c -o --rootdir --override-ini (plugins, configuration), --basetemp
// (deletes the folder), --pastebin (uploads), --pdb --trace (ask), --cov-config,
// --pyargs, -f --looponfail (never end), --debug, --result-log.
var pytestRows = []row{
	{names: "-q --quiet -v --verbose -x --exitfirst -s -l --showlocals --lf --last-failed --ff --failed-first --nf --new-first --sw --stepwise --sw-skip --stepwise-skip --co --collect-only --no-header --no-summary --disable-warnings --disable-pytest-warnings --strict-markers --strict-config --strict --setup-show --setup-only --setup-plan --runxfail --markers --fixtures --fixtures-per-test --full-trace --cache-clear --no-showlocals --doctest-modules --doctest-continue-on-failure --doctest-ignore-import-errors --keep-duplicates --continue-on-collection-errors --xfail-tb --force-sugar --noconftest --sw-reset --force-short-summary", why: "which tests run, and what is printed"},
	{names: "-h --help -V --version", why: "prints about itself"},
	{names: "-k -m --deselect --ignore-glob --doctest-glob", value: text, why: "which tests"},
	{names: "--ignore", value: workPath, why: "which tests"},
	{names: "-n --numprocesses", value: custom, check: checkWorkers, why: "how many at once"},
	{names: "--maxfail --durations --durations-min --verbosity --timeout --reruns --reruns-delay --count --maxprocesses --max-worker-restart --cov-fail-under --randomly-seed --random-order-seed", value: keyword, why: "numbers"},
	{names: "-r", value: keyword, why: "what is summed up"},
	{names: "--tb --color --capture --show-capture --code-highlight --import-mode --dist --asyncio-mode --timeout-method --random-order-bucket --cov-context --lfnf --last-failed-no-failures --doctest-report --junit-prefix --junitprefix", value: keyword, why: "how tests run and what is printed"},
	{names: "--cov", value: custom, optional: true, check: checkCoverage, why: "what is measured"},
	{names: "--cov-branch --no-cov --no-cov-on-fail --cov-append --forked --random-order --no-flaky-report --benchmark-skip --benchmark-only --benchmark-disable --snapshot-update", why: "plugins that are common"},
	{names: "--cov-report", value: custom, check: checkCoverageReport, why: "a report in the workspace"},
	{names: "--junitxml --junit-xml --log-file --html", value: writePath, why: "a report in the workspace"},
	{names: "--self-contained-html", why: "a report in the workspace"},
	{names: "--log-cli-level --log-level --log-file-level", value: keyword, why: "what is logged"},
	{names: "-W --pythonwarnings", value: custom, check: checkPythonWarning, why: "which warnings are shown"},
	{names: "--confcutdir", value: workPath, why: "the topmost folder that is searched for conftest files"},
}

// No --config --manifest-path outside, --target-dir --out-dir --artifact-dir,
// +toolchain, -Z, -C, --lockfile-path.
var cargoRows = []row{
	{names: "-v -vv --verbose -q --quiet -r --release --all-targets --lib --bins --tests --benches --examples --workspace --all --all-features --no-default-features --locked --offline --frozen --keep-going --ignore-rust-version --unit-graph --future-incompat-report --build-plan", why: "what is built"},
	{names: "--bin --example --test --bench", value: keyword, optional: true, wordNext: true, why: "what is built"},
	{names: "-p --package --exclude", value: keyword, why: "a package of this project"},
	{names: "-F --features", value: custom, check: checkFeatures, why: "what is built"},
	{names: "-j --jobs", value: number, why: "how many at once"},
	{names: "--profile --target --message-format --color", value: custom, check: checkCargoWord, why: "how it is built; a target is a name, never a file"},
	{names: "--timings", value: keyword, optional: true, why: "a report"},
	{names: "--manifest-path", value: workPath, why: "a package in the workspace"},
	{names: "-h --help", why: "prints about itself"},
}

var cargoTestRows = []row{
	{names: "--doc --no-run --no-fail-fast", why: "which tests run"},
}
