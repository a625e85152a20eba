# Sourced by the private copy of the official harness (tests/test_helper.tcl) after its own procedures, in every process
# of a run. It changes four things and leaves every test file as it is:
#
#  1. Results are also written as JSON lines to $RESPITE_TCL_EVENTS, so that nothing has to be read out of coloured text.
#  2. A server that dies at start-up is noticed at once (upstream waits 120 s, and for ever in two places), and fails the
#     test that wanted it (upstream lets such a test pass without having run).
#  3. An exception between two tests costs the command that raised it and not the file. Upstream's --durable works only
#     inside `test`; elsewhere it pops the stack of servers twice.

# ---- 1. Results as JSON lines ------------------------------------------------------------------------------------------

set ::event_text_length_max 20000 ;# characters of one failure that are kept

proc json_string {text} {
    set text [string range $text 0 $::event_text_length_max]
    set json ""
    foreach char [split $text ""] {
        scan $char %c code
        if {$code < 32 || $code > 126 || $code == 34 || $code == 92} {
            append json [format {\u%04x} [expr {$code & 0xffff}]]
        } else {
            append json $char
        }
    }
    return "\"$json\""
}

proc record_event {status text elapsed_ms} {
    if {![info exists ::events_file]} {
        set ::events_file [open $::env(RESPITE_TCL_EVENTS) a]
        fconfigure $::events_file -encoding ascii
    }
    puts $::events_file "{\"status\":[json_string $status],\"text\":[json_string $text],\"elapsedMs\":$elapsed_ms}"
    flush $::events_file
}

rename send_data_packet upstream_send_data_packet
proc send_data_packet {fd status data {elapsed 0}} {
    # Packets also go from the harness to its client ("run"); those are no results. Server life cycle is noise.
    if {$::client && $status in {testing ok err skip ignore done exception}} {
        record_event $status $data $elapsed
    }
    upstream_send_data_packet $fd $status $data $elapsed
}

# ---- 2. Servers that do not start --------------------------------------------------------------------------------------

set ::spawned_pid ""            ;# the server being started or restarted, "" when none is
set ::server_start_ms_max 60000 ;# from the spawn to "Server initialized"

rename spawn_server upstream_spawn_server
proc spawn_server {config_file stdout stderr args} {
    set ::spawned_stdout $stdout
    set ::spawned_stderr $stderr
    set ::spawned_pid [upstream_spawn_server $config_file $stdout $stderr {*}$args]
}

proc spawned_server_is_dead {} {
    expr {$::spawned_pid ne "" && ![is_alive $::spawned_pid]}
}

proc file_tail {path {length 3000}} {
    if {[catch {set fd [open $path r]}]} { return "" }
    set text [read $fd]
    close $fd
    string trim [string range $text end-$length end]
}

proc server_start_failed {why} {
    error "assertion:Can't start the server: $why\nstderr: [file_tail $::spawned_stderr]\nlog: [file_tail $::spawned_stdout]"
}

proc start_server_error {config_file error} {
    server_start_failed $error
}

# Same answer as upstream's: 1 when the port was busy, else 0.
proc wait_server_started {config_file stdout pid} {
    set deadline [expr {[clock milliseconds] + $::server_start_ms_max}]
    while 1 {
        # Liveness is asked before the log is read: what a dead server wrote is then all there.
        set dead [spawned_server_is_dead]
        set log [exec cat $stdout]
        if {[regexp -- " PID: $pid.*Server initialized" $log]} { return 0 }
        if {[regexp {Failed listening on port} $log]} { return 1 }
        if {$dead} { server_start_failed "it ended before it was initialized" }
        if {[clock milliseconds] > $deadline} {
            catch {exec kill -KILL $pid}
            server_start_failed "no line with \"PID: $pid\" and then \"Server initialized\" in its log"
        }
        after 20
    }
}

proc server_is_up {host port retrynum} {
    after 10
    while {[incr retrynum -1]} {
        if {![catch {ping_server $host $port} up] && $up} { return 1 }
        if {[spawned_server_is_dead]} { return 0 }
        after 50
    }
    return 0
}

# start_server and restart_server count "Ready to accept" in a loop without an end.
rename count_message_lines upstream_count_message_lines
proc count_message_lines {file pattern} {
    set dead [spawned_server_is_dead]
    set count [upstream_count_message_lines $file $pattern]
    if {$dead && $pattern eq "Ready to accept"} {
        server_start_failed "it ended before it was ready to accept connections"
    }
    return $count
}

rename restart_server upstream_restart_server
proc restart_server {args} {
    set ::spawned_pid ""
    uplevel 1 [list upstream_restart_server {*}$args]
}

# ---- 3. Exceptions between tests ---------------------------------------------------------------------------------------

proc inside_test {} {
    expr {$::cur_test ne ""}
}

proc report_exception {message} {
    incr ::num_failed
    send_data_packet $::test_server_fd err $message
}

# Ends the procedure that calls this with the outcome that `catch` saw: a value, an error, a break, a return.
proc return_outcome {result options} {
    dict incr options -level 2
    return -options $options $result
}

# The body of a test file, or of a block in it that holds tests. Outside a test its commands are evaluated one by one, so
# that those after an exception still run. Inside one an exception is passed on, in the form that upstream hands to the
# test without touching its stack of servers.
proc contained_block {code} {
    if {[inside_test]} {
        set status [catch {uplevel 1 $code} result options]
        if {$status == 1 && ![string match "assertion:*" $result]} {
            error "assertion:$result\n[dict get $options -errorinfo]"
        }
        return_outcome $result $options
    }
    set command ""
    foreach line [split $code \n] {
        append command $line \n
        if {![info complete $command]} continue
        set status [catch {uplevel 1 $command} result options]
        set command ""
        if {$status == 1} {
            report_exception "$result\n[dict get $options -errorinfo]"
        } elseif {$status != 0} {
            return_outcome $result $options
        }
    }
    if {$command ne ""} { error "a block ends within a command: $command" }
}

proc execute_test_file {__testname} {
    set ::curfile "tests/$__testname.tcl"
    set __file [open $::curfile r]
    set __code [read $__file]
    close $__file
    contained_block $__code
    send_data_packet $::test_server_fd done $__testname
}

rename tags upstream_tags
proc tags {tags code} {
    uplevel 1 [list upstream_tags $tags [list contained_block $code]]
}

rename start_server upstream_start_server
proc start_server {options {code undefined}} {
    set tags $::tags
    set depth [llength $::servers]
    set ::spawned_pid ""
    if {$code ne "undefined"} { set code [list contained_block $code] }
    set status [catch {uplevel 1 [list upstream_start_server $options $code]} result result_options]
    # Upstream forgets to drop the tags when the server does not come up.
    set ::tags $tags
    if {$status == 1} {
        set ::servers [lrange $::servers 0 $depth-1]
        if {![inside_test]} {
            report_exception $result
            return ""
        }
    }
    return_outcome $result $result_options
}

# ---- 4. What a failed test leaves behind -------------------------------------------------------------------------------

# The database of each client, by the last SELECT that it was told to send.
rename ::redis::__dispatch__ ::redis::upstream_dispatch
proc ::redis::__dispatch__ {id method args} {
    if {[string equal -nocase $method select]} { set ::redis::database($id) [lindex $args 0] }
    uplevel 1 [list ::redis::upstream_dispatch $id $method {*}$args]
}

rename test upstream_test
proc test {args} {
    set failures $::num_failed
    set oldest_new_client [expr {$::redis::id + 1}]
    set protocols [array get ::redis::testing_resp3]
    set databases [array get ::redis::database]
    set status [catch {uplevel 1 [list upstream_test {*}$args]} result options]
    if {$::num_failed > $failures && !$::external} {
        foreach id [array names ::redis::fd] {
            # A client from before the test that defers replies may have some that are still to be read.
            if {$id < $oldest_new_client && $::redis::deferred($id) && ![is_server_client $id]} continue
            set resp3 [expr {[dict exists $protocols $id] && [dict get $protocols $id]}]
            set database [expr {[dict exists $databases $id] ? [dict get $databases $id] : 9}]
            renew_connection $id $database $resp3
        }
        foreach server $::servers {
            if {[dict exists $server client]} { catch {[dict get $server client] client unpause} }
        }
    }
    return_outcome $result $options
}

# Upstream waits 50 s for a process to stop that a failed test did not come to stop.
rename resume_process upstream_resume_process
proc resume_process {pid} {
    if {![inside_test] && ![string match "T*" [exec ps -o state= -p $pid]]} return
    upstream_resume_process $pid
}

proc is_server_client {id} {
    foreach server $::servers {
        if {[dict exists $server client] && [dict get $server client] eq "::redis::redisHandle$id"} { return 1 }
    }
    return 0
}

# Gives a client a new connection under its old name.
proc renew_connection {id database resp3} {
    if {$::tls} return
    catch {close $::redis::fd($id)}
    set ::redis::fd($id) {}
    set ::redis::readraw($id) 0
    set ::redis::blocking($id) 1
    set ::redis::testing_resp3($id) $resp3
    set deferred [expr {$::redis::deferred($id) && ![is_server_client $id]}]
    set ::redis::deferred($id) 0
    if {!$::singledb} { catch {::redis::redisHandle$id select $database} }
    if {$resp3} { catch {::redis::redisHandle$id hello 3} }
    set ::redis::deferred($id) $deferred
}
