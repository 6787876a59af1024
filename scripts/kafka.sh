#!/usr/bin/env bash
# One Apache Kafka broker (KRaft, broker and controller in one process) on this machine, for tests and for trying things out.
#
#   scripts/kafka.sh jars            fetch the broker's jars with Maven, unless they are there already
#   scripts/kafka.sh start [PORT]    start a broker on PORT, or on a free one; prints "127.0.0.1:PORT DIR"
#   scripts/kafka.sh stop DIR        stop the broker of DIR in good order; its data and its ports are kept
#   scripts/kafka.sh kill DIR        stop it at once, as a crash would; its data and its ports are kept
#   scripts/kafka.sh restart DIR     stop it if it runs, and start it again on the same ports and data
#   scripts/kafka.sh remove DIR      kill it and delete DIR
#
# DRIFTD_KAFKA_WATCH=PID with start: a watchdog removes broker and data as soon as process PID is gone.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
home=${CARGO_TARGET_DIR:-$root/target}/kafka
pom=$root/tests/kafka/pom.xml
# a fixed cluster id (22 characters of base64, 16 bytes), so that a data directory can be formatted by anybody
cluster_id=ZHJpZnRkLXRlc3QtYnJvaw
start_deadline_seconds=${DRIFTD_KAFKA_START_SECONDS:-120}
stop_deadline_seconds=30

say() { printf 'kafka.sh: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# --- jars -----------------------------------------------------------------------------------------------------------

# The copy of pom.xml inside the folder tells which versions are there.
jars_present() { cmp -s "$pom" "$home/libs/pom.xml"; }

fetch_jars() {
    jars_present && return 0
    command -v mvn >/dev/null || die "maven is missing: run 'make setup'"
    mkdir -p "$home"
    local new=$home/libs.new.$$ try
    for try in 1 2 3; do
        rm -rf "$new"
        if mvn -B -q -f "$pom" org.apache.maven.plugins:maven-dependency-plugin:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$new" >&2; then break; fi
        [ "$try" -lt 3 ] || die "maven could not fetch the broker's jars"
        sleep 5
    done
    cp "$pom" "$new/pom.xml"
    # another process may have been faster: then its folder is as good as ours
    if ! jars_present; then
        rm -rf "$home/libs"
        mv -T "$new" "$home/libs" || jars_present || die "cannot put the jars into $home/libs"
    fi
    rm -rf "$new"
}

# --- processes ------------------------------------------------------------------------------------------------------

# A dead child that nobody waited for still has a pid; it does not count as alive.
alive() {
    kill -0 "$1" 2>/dev/null || return 1
    [ ! -r "/proc/$1/stat" ] || ! grep -q '^[0-9]* (.*) Z ' "/proc/$1/stat" 2>/dev/null
}

# The process of a broker, if it runs. After a reboot the number in the file may be somebody else's.
broker_pid() { # DIR
    local pid
    pid=$(cat "$1/pid" 2>/dev/null) || return 0
    if alive "$pid" && { [ ! -r "/proc/$pid/cmdline" ] || grep -qF "$1/server.properties" "/proc/$pid/cmdline"; }; then echo "$pid"; fi
}

await_exit() { # PID SECONDS
    local left=$(($2 * 10))
    while alive "$1"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        sleep 0.1
    done
}

need_dir() { [ -f "${1:-}/server.properties" ] || die "not the directory of a broker: '${1:-}'"; }

stop_broker() { # DIR
    local pid
    pid=$(broker_pid "$1")
    if [ -n "$pid" ]; then
        kill -TERM "$pid" 2>/dev/null || true
        await_exit "$pid" "$stop_deadline_seconds" || { say "no orderly stop within ${stop_deadline_seconds} s, killing it"; kill_broker "$1"; }
    fi
    rm -f "$1/pid"
}

kill_broker() { # DIR
    local pid
    pid=$(broker_pid "$1")
    if [ -n "$pid" ]; then
        kill -KILL "$pid" 2>/dev/null || true
        await_exit "$pid" 10 || die "process $pid does not go away"
    fi
    rm -f "$1/pid"
}

remove_broker() { # DIR
    kill_broker "$1"
    rm -rf "$1"
}

# --- start ----------------------------------------------------------------------------------------------------------

port_in_use() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Below 32768: the ports above are handed out to outgoing connections, and a restart needs the same port again.
free_port() {
    local port
    for _ in {1..50}; do
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        port_in_use "$port" || { echo "$port"; return; }
    done
    die "no free port between 20000 and 32000"
}

write_settings() { # DIR PORT CONTROLLER_PORT
    cat >"$1/server.properties" <<SETTINGS
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$3
listeners=PLAINTEXT://127.0.0.1:$2,CONTROLLER://127.0.0.1:$3
advertised.listeners=PLAINTEXT://127.0.0.1:$2
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=$1/data
# a topic that is missing must be seen as missing
auto.create.topics.enable=false
# one node holds everything
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=2
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
default.replication.factor=1
min.insync.replicas=1
# tests do not wait for members that never come
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
# after a crash the controller waits for this before it lets the same broker back in
broker.session.timeout.ms=5000
broker.heartbeat.interval.ms=500
# many tests, small machines
num.network.threads=2
num.io.threads=2
num.recovery.threads.per.data.dir=1
log.cleaner.dedupe.buffer.size=4194304
log.segment.bytes=16777216
log.index.size.max.bytes=1048576
SETTINGS
}

java_command() { # DIR → fills the array `java`
    java=(java -Xms128m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.net.preferIPv4Stack=true
        "-Djava.io.tmpdir=$1/tmp" "-XX:ErrorFile=$1/jvm-error.log" -Dorg.slf4j.simpleLogger.defaultLogLevel=info
        -Dorg.slf4j.simpleLogger.showDateTime=true "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS" -cp "$home/libs/*")
}

# An ApiVersions request of version 0 (correlation id 7, no client id): a broker that serves answers it.
answers() { # PORT
    local reply
    # shellcheck disable=SC2016 # the inner shell expands it
    reply=$(timeout 2 bash -c '
        exec 3<>"/dev/tcp/127.0.0.1/$1"
        printf "\x00\x00\x00\x0a\x00\x12\x00\x00\x00\x00\x00\x07\xff\xff" >&3
        head -c 10 <&3 | od -An -tx1 | tr -d " \n"' _ "$1" 2>/dev/null) || return 1
    # length, correlation id, error code 0
    [ "${reply:8}" = "000000070000" ]
}

# Starts the broker of DIR and returns once it serves; otherwise says why not.
launch() { # DIR PORT
    local dir=$1 port=$2 pid java
    java_command "$dir"
    [ ! -f "$dir/server.log" ] || mv "$dir/server.log" "$dir/server.$(date +%s%N).log"
    # a session of its own: neither Ctrl-C nor a closed terminal reaches the broker
    setsid "${java[@]}" kafka.Kafka "$dir/server.properties" </dev/null >"$dir/server.log" 2>&1 &
    pid=$!
    echo "$pid" >"$dir/pid"
    local deadline=$((SECONDS + start_deadline_seconds))
    until grep -qs 'Kafka Server started' "$dir/server.log" && answers "$port"; do
        sleep 0.1
        if ! alive "$pid"; then
            say "the broker ended while starting; its last words:"
            tail -n 15 "$dir/server.log" >&2
            return 1
        fi
        if [ "$SECONDS" -ge "$deadline" ]; then
            kill_broker "$dir"
            say "the broker did not serve within $start_deadline_seconds s; its last words:"
            tail -n 15 "$dir/server.log" >&2
            return 1
        fi
    done
}

format() { # DIR
    local java
    java_command "$1"
    "${java[@]}" kafka.tools.StorageTool format --cluster-id "$cluster_id" --config "$1/server.properties" >"$1/format.log" 2>&1 || {
        cat "$1/format.log" >&2
        die "cannot format the broker's storage in $1"
    }
}

# Ends with the process that asked for the broker, or with the directory.
watch_parent() { # PID DIR
    (
        while alive "$1"; do
            [ -d "$2" ] || exit 0
            sleep 0.5
        done
        remove_broker "$2"
    ) </dev/null >/dev/null 2>&1 &
}

start_broker() { # [PORT]
    local wanted=${1:-} dir port try
    command -v java >/dev/null || die "java is missing: run 'make setup'"
    fetch_jars
    dir=$(mktemp -d "${TMPDIR:-/tmp}/driftd-kafka.XXXXXX")
    mkdir "$dir/tmp"
    [ -z "${DRIFTD_KAFKA_WATCH:-}" ] || watch_parent "$DRIFTD_KAFKA_WATCH" "$dir"
    for try in 1 2 3; do
        port=${wanted:-$(free_port)}
        ! port_in_use "$port" || { remove_broker "$dir"; die "port $port is in use"; }
        rm -rf "$dir/data"
        write_settings "$dir" "$port" "$(free_port)"
        format "$dir"
        if launch "$dir" "$port"; then
            echo "127.0.0.1:$port $dir"
            return
        fi
        # a port may have been taken between choosing and binding it: choose again
        grep -q 'BindException\|Address already in use' "$dir/server.log" || break
    done
    remove_broker "$dir"
    die "no broker could be started"
}

restart_broker() { # DIR
    local port
    stop_broker "$1"
    port=$(sed -n 's/^advertised.listeners=.*:\([0-9]*\)$/\1/p' "$1/server.properties")
    launch "$1" "$port" || die "the broker of $1 could not be started again"
    echo "127.0.0.1:$port $1"
}

case "${1:-}" in
jars) fetch_jars ;;
start) start_broker "${2:-}" ;;
stop) need_dir "${2:-}" && stop_broker "$2" ;;
kill) need_dir "${2:-}" && kill_broker "$2" ;;
restart) need_dir "${2:-}" && restart_broker "$2" ;;
remove) need_dir "${2:-}" && remove_broker "$2" ;;
*)
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
    exit 2
    ;;
esac
