
# Tests for readers that do not read: they delay nobody and cost little.

use lib 't/lib';
use Test::Nginx::Chat;

default_http_config('chat_zone chat:16m;');

default_config(<<'_EOC_');
    location /chat {
        chat               chat;
        chat_user          $arg_user;
        chat_room          $arg_room;
        chat_send_timeout  1s;
        chat_backlog       256k;
        chat_history       messages=10 age=1h;
    }

    location /patient {
        chat               chat;
        chat_user          $arg_user;
        chat_room          $arg_room;
        chat_send_timeout  60s;
        chat_history       messages=10 age=1h;
    }
_EOC_

play();


sub pong_before_end {
    my ($script, $who, $payload, $last) = @_;

    for (1 .. $last + 2) {
        my $event = $script->get($script->client($who));
        next if $event->{kind} eq 'text'
                && $event->{payload} !~ /"seq":$last,/;

        return if $event->{kind} eq 'pong' && $event->{payload} eq $payload;
        die "$event->{kind} came first\n";
    }
}


sub noise { return join '', map { chr(97 + rand 26) } 1 .. $_[0] }


sub all_or_gap { all_or_gap_from(@_[0, 1], 0, $_[2]) }


sub all_or_gap_from {
    my ($script, $who, $seq, $last) = @_;

    while ($seq < $last) {
        my $event = $script->get($script->client($who));
        my $o = Test::Nginx::Chat::Match::decode($event->{payload});

        $seq = $o->{from} - 1 == $seq ? $o->{to} - 1 : -1
            if $o->{type} eq 'gap';
        $o->{seq} = $o->{to} if $o->{type} eq 'gap';
        die "after $seq: $event->{payload}\n" if $o->{seq} != ++$seq;
    }
}

__DATA__

=== TEST 1: who takes nothing is closed with 1013, and others go on
--- chat
timeout 20s
a connect /chat?user=alice&room=r
s connect /chat?user=slow&room=r same=a rcvbuf=4096
t connect /chat?user=tardy&room=r other=a rcvbuf=4096
for who a s t
$who skip {"type":"joined"}
end
s pause
t pause
within 5s
for i 1..1000
a > {"type":"send","room":"r","text":"$("x" x 8000)"}
a < ~"seq":$i,
end
end
a nothing 2500ms
log 2 ~client has taken nothing for 1000 ms
s resume
t resume
s skip closed 1013
t skip closed 1013
a > {"type":"send","room":"r","text":"still here"}
a < {"type":"message","text":"still here"}



=== TEST 2: a slow reader's pongs come through
--- chat
timeout 20s
a connect /patient?user=alice&room=r
s connect /patient?user=slow&room=r same=a rcvbuf=4096
for who a s
$who skip {"type":"joined"}
end
s pause
for i 1..1000
a > {"type":"send","room":"r","text":"$("x" x 8000)"}
a < ~"seq":$i,
end
s ping urgent
s resume
perl pong_before_end s urgent 1000



=== TEST 3: a hundred of them cost no memory each
--- chat
timeout 30s
a connect /patient?user=alice&room=r
a skip {"type":"joined"}
for i 1..100
s$i connect /patient?user=s$i&room=r rcvbuf=4096
s$i pause
end
a > {"type":"send","room":"r","text":"warm"}
a skip {"text":"warm"}
set before = $main::Server->memory
for i 2..500
a > {"type":"send","room":"r","text":"$("x" x 8000)"}
a < ~"seq":$i,
end
ok $main::Server->grown($before) < 100 * 40
a > {"type":"ping","id":1}
within 200ms
a < {"type":"ok","id":1}
end



=== TEST 4: who reads again is brought up to date, with a gap or without
--- chat
timeout 20s
a connect /patient?user=alice&room=r
s connect /patient?user=slow&room=r other=a rcvbuf=4096
for who a s
$who skip {"type":"joined"}
end
s pause
for i 1..100
a > {"type":"send","room":"r","text":"$("x" x 4000)$i"}
a < {"type":"message","seq":$i}
end
s resume
perl all_or_gap s 100
a > {"type":"send","room":"r","text":"end"}
s < {"type":"message","seq":101,"text":"end"}



=== TEST 5: a slow reader of compressed messages
What does not compress, so that it fills the socket: each frame is whole, and
a message is left out only where a gap says so.
--- chat
timeout 20s
a connect /patient?user=alice&room=r
s connect /patient?user=slow&room=r other=a rcvbuf=4096 deflate
for who a s
$who skip {"type":"joined"}
end
for round 1..2
s pause
for i 1..500
a > {"type":"send","room":"r","text":"$(main::noise(6000))"}
a < ~"type":"message"
end
s resume
perl all_or_gap_from s $(500 * $round - 500) $(500 * $round)
end
