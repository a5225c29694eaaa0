
# Tests for reload and shutdown: every session is told, nothing is lost.

use lib 't/lib';
use Test::Nginx::Chat;

default_http_config('chat_zone chat:4m;');

default_config(<<'_EOC_');
    location /chat {
        chat              chat;
        chat_user         $arg_user;
        chat_close_delay  500ms;
    }

    location /kept {
        chat               chat;
        chat_user          $arg_user;
        chat_close_delay   500ms;
        chat_keep_request  on;
    }

    location /raw {
        chat              chat;
        chat_protocol     raw;
        chat_room         $arg_room;
        chat_close_delay  500ms;
    }

    location /long {
        chat              chat;
        chat_user         $arg_user;
        chat_close_delay  60s;
    }

    location /plain {
        return 200 plain;
    }
_EOC_

play();


# "bye" with a hint within the delay, then 1012; live messages may come first

sub farewell {
    my ($script, $who, $code, $most) = @_;

    my $client = $script->client($who);

    for ( ;; ) {
        my $event = $script->get($client);
        die "$event->{kind} came before bye\n" if $event->{kind} ne 'text';

        my $o = Test::Nginx::Chat::Match::decode($event->{payload});
        $main::Last{$who} = $o->{seq} if $o->{type} eq 'message';
        next if $o->{type} ne 'bye';

        die "$event->{payload}\n"
            if !defined $o->{reconnect} || $o->{reconnect} < 0
               || $o->{reconnect} > $most || !length($o->{reason} // '');
        last;
    }

    $script->client_closed($client, $code);
}

our %Last;


# the hints of b1 to b30: somewhere within the delay, and not all in one place

sub spread {
    my ($script, $most) = @_;

    my %hint;

    for my $who (map { "b$_" } 1 .. 30) {
        my $o = Test::Nginx::Chat::Match::decode(
            $script->get($script->client($who))->{payload});
        die "$who: $o->{type} with $o->{reconnect}\n"
            if $o->{type} ne 'bye' || $o->{reconnect} > $most;
        $hint{int(5 * $o->{reconnect} / ($most + 1))}++;
        $script->client_closed($script->client($who), 1012);
    }

    # thirty that leave two of five parts out are one in 300,000

    die 'parts with hints: ' . join(' ', sort keys %hint) . "\n"
        if keys %hint < 4;
}


# makes the zone one of another version of the module

sub make_strange {
    my ($script) = @_;

    my $pid = $script->{server}{pid};
    open my $maps, '<', "/proc/$pid/maps" or die "maps: $!\n";
    open my $mem, '+<', "/proc/$pid/mem" or die "mem: $!\n";
    binmode $mem;

    for (<$maps>) {
        no warnings 'portable';
        my ($from, $to) = /^(\w+)-(\w+) rw-s / or next;
        ($from, $to) = (hex $from, hex $to);
        next if $to - $from != 4 << 20;

        sysseek $mem, $from, 0 or die "seek: $!\n";
        sysread $mem, my $head, 65536 or die "read: $!\n";

        # "ch" and two digits, in the machine's order

        $head =~ /\d\dhc|ch\d\d/g or next;

        sysseek $mem, $from + pos($head) - 4, 0 or die "seek: $!\n";
        syswrite $mem, 'none' or die "write: $!\n";
        return;
    }

    die "no zone\n";
}


# one of an old generation and one of the new exchange messages, unless the
# old one's farewell came before

sub still_there {
    my ($script, $old, $new) = @_;

    for my $from ($new, $old) {
        $script->client($from)->frame(op => 1, payload =>
            qq({"type":"send","room":"lobby","text":"from $from"}));

        for my $to ($old, $new) {
            my $event = $script->get($script->client($to));
            return if $to eq $old && $event->{payload} =~ /"type":"bye"/;
            die "$to: $event->{payload}\n"
                if $event->{payload} !~ /"text":"from $from"/;
        }
    }
}


# the page of a resume, which was the last that came, and the events after it

sub seen_until {
    my ($script, $who, $last) = @_;

    my $client = $script->client($who);
    my $reply = Test::Nginx::Chat::Match::decode($client->{last}{payload});
    my $seq = $main::Last{$who} // 0;

    for my $m (@{ $reply->{messages} }) {
        die "$who: after $seq came $m->{seq}\n" if $m->{seq} != ++$seq;
    }

    while ($seq < $last) {
        my $event = $script->get($client);
        my $o = Test::Nginx::Chat::Match::decode($event->{payload});
        die "$who: after $seq: $event->{payload}\n" if $o->{seq} != ++$seq;
    }

    $main::Last{$who} = $seq;
}

__DATA__

=== TEST 1: bye, and 1012
--- chat
timeout 20s
a connect /chat?user=alice
b connect /chat?user=bob other=a
c connect /kept?user=carol
r connect /raw?room=1
for who a b c
$who < {"type":"welcome"}
end
nginx reload
for who a b c
perl farewell $who 1012 500
end
r closed 1012
nginx renewed



=== TEST 2: clients come back to the new workers and miss nothing
--- chat
timeout 20s
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1,"epoch":"$epoch"}
end
for i 1..5
a > {"type":"send","room":"lobby","text":"m$i"}
end
a seqs 1..5
b seqs 1..5
nginx reload
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":2,"room":"lobby","epoch":"$epoch","seq":5}
a < {"type":"ok","id":2,"recovered":true,"epoch":"$epoch","seq":5,"messages":[]}
perl farewell b 1012 500
a > {"type":"send","room":"lobby","text":"m6"}
a seqs 6..6
b connect /chat?user=bob other=a
b < {"type":"welcome"}
b > {"type":"join","id":2,"room":"lobby","epoch":"$epoch","seq":5}
b < {"type":"ok","id":2,"recovered":true,"messages":[{"seq":6,"text":"m6"}]}
nginx renewed



=== TEST 3: old workers and new ones talk to each other
A session that was not told yet goes on: what a new worker's client says
reaches it, and the other way round.
--- chat
timeout 20s
a connect /long?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1}
a autoclose off
nginx reload
b connect /chat?user=bob
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"lobby"}
b < {"type":"ok","id":1}
perl still_there a b
b drop
a drop
nginx renewed



=== TEST 4: reload in mid-traffic, with resume, nothing lost and nothing twice
--- chat
timeout 30s
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1,"epoch":"$epoch"}
end
for round 1..3
a cork
for i 1..100
a > {"type":"send","room":"lobby","text":"$round $i"}
end
a flush
nginx reload
perl farewell a 1012 500
perl farewell b 1012 500
for who a b
$who connect /chat?user=$who
$who < {"type":"welcome"}
$who > {"type":"join","id":2,"room":"lobby","epoch":"$epoch","seq":$($main::Last{$v{who}} || 0)}
$who < {"type":"ok","id":2,"recovered":true,"seq":$(100 * $round),"messages":"%array"}
perl seen_until $who $(100 * $round)
end
end
nginx renewed



=== TEST 5: quit: bye and 1001
--- chat
timeout 20s
a connect /chat?user=alice
b connect /chat?user=bob other=a
r connect /raw?room=1
for who a b
$who < {"type":"welcome"}
end
nginx quit
for who a b
perl farewell $who 1001 500
end
r closed 1001
nginx stopped



=== TEST 6: a client that does not answer the close frame holds nobody up
--- chat
timeout 20s
a connect /chat?user=alice
a < {"type":"welcome"}
a autoclose off
nginx quit
within 9s
a skip closed 1001
nginx stopped
end



=== TEST 7: worker_shutdown_timeout ends what the delay would not
--- main_config
worker_shutdown_timeout 1s;
--- chat
timeout 20s
a connect /long?user=alice
b connect /long?user=bob
c connect /long?user=carol
for who a b c
$who < {"type":"welcome"}
$who autoclose off
$who pause
end
within 6s
nginx reload
nginx renewed
end



=== TEST 8: a slow request of another kind holds the old worker, not the sessions
--- chat
timeout 20s
s open
s raw "GET /plain HTTP/1.1\r\nHost: localhost\r\n"
a connect /chat?user=alice
a < {"type":"welcome"}
nginx reload
perl farewell a 1012 500
s drop
nginx renewed



=== TEST 9: with every directive on
--- http_config
    chat_zone chat:4m workers=8;
    chat_zone other:1m;
    log_format s '$chat_user $chat_session';
--- config
    location /chat {
        chat chat;
        chat_protocol chat.v1;
        chat_room lobby;
        chat_user $arg_user;
        chat_user_name $arg_name;
        chat_user_color "#123456";
        chat_guests on;
        chat_origins same example.com ~x;
        chat_message_size 8k;
        chat_history messages=50 age=1h;
        chat_history_page 20;
        chat_rooms_per_connection 4;
        chat_backlog 64k;
        chat_echo on;
        chat_ping_interval 5s;
        chat_send_timeout 5s;
        chat_compression on min=32 level=3;
        chat_close_delay 100ms;
        chat_delay 5ms;
        chat_keep_request on;
        chat_log logs/chat.log s;
    }
--- chat
timeout 20s
for round 1..3
a connect /chat?user=alice deflate
a skip {"type":"joined"}
a > {"type":"send","id":1,"room":"lobby","text":"round $round"}
a skip {"type":"message","seq":$round}
nginx reload
a skip closed 1012
nginx renewed
end
log in chat.log 3 ~^alice [0-9a-f]+$



=== TEST 10: a zone of another size is a new one, and nobody crashes
--- chat
timeout 20s
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"epoch":"$epoch"}
a > {"type":"send","room":"lobby","text":"m1"}
a seqs 1..1
nginx edit s/chat:4m/chat:5m/
nginx reload
perl farewell a 1012 500
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby","epoch":"$epoch","seq":1}
a < {"type":"ok","id":1,"recovered":false,"seq":0,"epoch":"$another"}
ok $epoch ne $another
log 1 ~\[warn\].* chat_zone "chat" has 5242880 bytes instead of 4194304



=== TEST 11: another configuration that fails leaves all as it is
--- chat
timeout 20s
a connect /chat?user=alice
a < {"type":"welcome"}
nginx edit s/chat:4m/chat:nonsense/
nginx signal HUP
log ~\[emerg\].*nonsense
a > {"type":"ping","id":1}
a < {"type":"ok","id":1}
--- faults
\[emerg\].*nonsense



=== TEST 12: a zone of another version of the module: all stays as it was
--- chat
timeout 20s
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
perl make_strange
nginx signal HUP
log ~\[emerg\].* chat_zone "chat" was made by another version of the module
a > {"type":"send","room":"lobby","text":"m1"}
a seqs 1..1
b seqs 1..1
--- faults
\[emerg\].* was made by another version of the module



=== TEST 13: the hints are spread over the delay
--- chat
timeout 20s
for i 1..30
b$i connect /long?user=b$i
b$i < {"type":"welcome"}
end
nginx reload
perl spread 60000
