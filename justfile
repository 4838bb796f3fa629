# Recipes for people who work on tidegate. `just` alone lists them.

default:
    @just --list

# The main job in one go, on loopback, with throw-away data.
demo *args:
    cargo run --release -- demo {{args}}

# What every change has to pass.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo test --workspace

# Everything, as the project's gate runs it.
ci:
    .ci/run

# The clients that senders use against the release binary. Needs them installed: see .ci/run.
interop python="target/interop/bin/python":
    cargo build --release
    [ -x {{python}} ] || python3 -m venv target/interop
    {{python}} -m pip install -q paramiko asyncssh ssh-audit
    tests/interop/run target/release/tidegate
    tests/interop/ftps target/release/tidegate
    tests/interop/sftp target/release/tidegate {{python}}
    tests/interop/clients target/release/tidegate {{python}}

# One file of so many GiB by FTP, FTPS and SFTP; takes three times as much disk, in TMPDIR.
interop-large gib="2":
    cargo build --release
    tests/interop/large target/release/tidegate {{gib}}

# Uploads cut at every tenth, by reset and by an orderly end, in every protocol; see tests/interop/cuts.py.
cuts python="target/interop/bin/python":
    cargo build --release
    {{python}} tests/interop/cuts.py target/release/tidegate

# Other people's test suites against the engine and the doors; see docs/conformance.md.
suites python="target/interop/bin/python":
    [ -x {{python}} ] || python3 -m venv target/interop
    {{python}} -m pip install -q pytest psutil pyopenssl pyftpdlib==2.2.0
    cargo build -p tidegate-ftp --example directory
    tests/suites/pyftpdlib target/debug/examples/directory {{python}}

# rclone's backend tests against the engine, as the gate runs them; needs Debian's packages of Go and of rclone's sources, see the script.
suites-rclone:
    cargo build -p tidegate
    cargo build -p tidegate-ftp --example directory
    tests/suites/rclone target/debug/examples/directory target/debug/tidegate target/rclone

# The package on a clean Debian under systemd, with the walk through docs/operations/walkthrough.md. Needs root.
package:
    cargo build --release
    tests/package/run target/release/tidegate

# A wall clock that jumps by hours around the release binary; see tests/clock/run.
clock:
    cargo build --release
    tests/clock/run target/release/tidegate

# Kills the server at random moments for many rounds, while senders upload at every door or call the web service; see tests/e2e/crash.rs and web_service/kills.rs.
crash rounds="200":
    TIDEGATE_CRASH_ROUNDS={{rounds}} cargo test --release -p tidegate --test e2e -- crash kills --nocapture

# Cuts the power at random moments on a disk that forgets; see tests/power/src/main.rs. Needs root.
power images="300":
    cargo build --release
    cargo run --manifest-path tests/power/Cargo.toml --target-dir target/power -- --images {{images}}

# Disks that fail, are slow or fill up, and 100,000 files that wait; see tests/power/src/overload/. Needs root.
overload files="100000":
    cargo build --release
    cargo run --manifest-path tests/power/Cargo.toml --target-dir target/power -- overload --files {{files}}

# Every date of every zone from 1970 to 2037, for rules of windows; `cargo test` tries a sample.
zones:
    TIDEGATE_ALL_YEARS=1 cargo test --release -p tidegate-domain --test maintenance every_date

# Figures as ratios: durable accepts, the HL7 door, the drain of a backlog.
bench:
    cargo bench -p tidegate-store --bench accept
    cargo bench -p tidegate-store --bench large
    cargo bench -p tidegate-domain --bench gate
    cargo bench -p tidegate-hl7 --bench door
    cargo bench -p tidegate-worker --bench drain
    cargo bench -p tidegate-worker --bench mllp

# The HL7 door beside other parsers of HL7, which nothing else is built with.
parsers mib="64":
    cargo run --release --manifest-path tests/bench/parsers/Cargo.toml --target-dir target/parsers -- {{mib}}

# Starts, questions and memory with a million jobs that wait; 5 GB and some minutes.
backlog dir="/dev/shm" jobs="1000000":
    cargo bench -p tidegate-store --bench backlog -- {{dir}} {{jobs}}

# Ways to make small files durable, beside each other; see docs/decisions/0006-cheapest-durable-accept.md.
ways dir="/tmp":
    cargo bench -p tidegate-store --bench ways -- {{dir}}

# Files accepted, finished and purged for a long time: what stays small. In memory unless a directory is named.
endure files="300000" *directory:
    cargo bench -p tidegate-store --bench endure -- {{files}} {{directory}}

# Fuzzes the parsers of what senders and registries say: ftp_commands, ftp_session, sftp_packet, hl7_file, hl7_message, hl7_time, er7, ack, mllp; see tests/fuzz/README.md.
# The status page beside a bare axum route; needs wrk.
status-page:
    cargo build --release
    cargo build --release -p tidegate-web --example bare
    tests/bench/status target/release/tidegate target/release/examples/bare

# Fuzzes the parsers of what senders and registries say: ftp_commands, sftp_packet, hl7_file, hl7_message, hl7_time, er7, ack, mllp; see tests/fuzz/README.md.
fuzz target="ftp_commands" seconds="600":
    mkdir -p tests/fuzz/corpus/{{target}}
    [ ! -f tests/fuzz/corpora/{{target}}.tar ] || tar -xf tests/fuzz/corpora/{{target}}.tar -C tests/fuzz/corpus/{{target}}
    RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none {{target}} tests/fuzz/corpus/{{target}} tests/fuzz/seeds/{{target}} -- -max_total_time={{seconds}} -max_len=16384

# Keeps of what `fuzz` found what covers something that nothing else does, short inputs only.
fuzz-keep target:
    rm -rf tests/fuzz/corpus/{{target}}.kept
    mkdir -p tests/fuzz/corpus/{{target}}.kept tests/fuzz/corpora
    RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none {{target}} tests/fuzz/corpus/{{target}}.kept tests/fuzz/seeds/{{target}} tests/fuzz/corpus/{{target}} -- -set_cover_merge=1 -max_len=600
    tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf tests/fuzz/corpora/{{target}}.tar -C tests/fuzz/corpus/{{target}}.kept .
