
# Tests for who is expelled: he gets everything up to that, and no more.

use lib 't/lib';
use Test::Nginx::Chat;

default_http_config('chat_zone chat:8m; chat_rate off;');

default_config(<<'_EOC_');
    location /chat {
        chat              chat;
        chat_presence     full;
        chat_user         $arg_user;
        chat_user_role    $arg_role;
        chat_leave_delay  300ms;
    }

    location /quiet {
        chat              chat;
        chat_presence     off;
        chat_user         $arg_user;
        chat_user_role    $arg_role;
        chat_compression  off;
        chat_history      messages=10;
        chat_backlog      8m;
    }
_EOC_

play();


# a burst with a kick in its middle, in one segment, so that all of it may be
# in one run

sub burst {
    my ($script, $who, $user) = @_;

    my $client = $script->client($who);
    my @texts = (
        (map { qq({"type":"send","room":"r","text":"before $_"}) } 1 .. 20),
        qq({"type":"kick","room":"r","user":"$user","reason":"noise"}),
        (map { qq({"type":"send","room":"r","text":"after $_"}) } 1 .. 20),
    );

    $script->client_step($who, 'cork');
    $client->frame(op => 1, payload => $_) for @texts;
    $script->client_step($who, 'flush');
}


sub large {
    my ($script, $who, $n) = @_;

    my $text = 'x' x 16000;

    $script->client($who)->frame(op => 1, payload =>
        qq({"type":"send","id":"l$_","room":"r","text":"$_ $text"}))
        for 1 .. $n;
    $script->client_step($who, qq(skip {"type":"ok","id":"l$n"}));
}


# messages up to the kick, each once, and that; then nothing

sub until_kicked {
    my ($script, $who, $n) = @_;

    my $client = $script->client($who);
    my $seq = 0;

    for ( ;; ) {
        my $event = $script->get($client);
        my $o = Test::Nginx::Chat::Match::decode($event->{payload});

        die "after $seq: " . substr($event->{payload}, 0, 200) . "\n"
            if $o->{seq} != ++$seq
               || $o->{type} ne ($seq == $n ? 'kicked' : 'message');

        return if $seq == $n;
    }
}

__DATA__

=== TEST 1: in the middle of a run
--- chat
m connect /chat?user=mo&role=moderator
b1 connect /chat?user=bob same=m
b2 connect /chat?user=bob other=m
c connect /chat?user=carol other=m
for who m b1 b2 c
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"r"}
$who skip {"type":"ok","id":1}
end
perl burst m bob
for who b1 b2
$who skip {"type":"message","seq":20,"text":"before 20"}
$who < {"type":"kicked","seq":21,"user":"bob","by":"mo","reason":"noise"}
$who nothing 100ms
$who > {"type":"send","id":2,"room":"r","text":"but"}
$who < {"type":"error","id":2,"code":"not_joined"}
$who > {"type":"ping","id":3}
$who < {"type":"ok","id":3}
end
c skip {"type":"message","text":"before 20"}
c < {"type":"kicked","seq":21}
for i 1..20
c < {"type":"message","text":"after $i"}
end
m skip {"type":"message","text":"after 20"}



=== TEST 2: he is no member at once, and may come back
--- chat
m connect /chat?user=mo&role=moderator
b connect /chat?user=bob other=m
for who m b
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"r"}
$who < {"type":"ok","id":1,"epoch":"$epoch"}
end
m < {"type":"joined","user":"bob","members":2}
m > {"type":"kick","id":2,"room":"r","user":"bob"}
m skip {"type":"ok","id":2}
m > {"type":"members","id":3,"room":"r"}
m skip {"type":"ok","id":3,"members":1,"presence":[{"user":"mo"}]}
b < {"type":"kicked","seq":1}
b > {"type":"join","id":4,"room":"r","epoch":"$epoch","seq":0}
b < {"type":"ok","id":4,"recovered":true,"members":2,"messages":[{"seq":1}]}
m < {"type":"joined","user":"bob","members":2}
m > {"type":"send","room":"r","text":"again"}
for who m b
$who < {"type":"message","seq":2,"text":"again"}
end
m nothing 500ms



=== TEST 3: a slow reader gets all that was before
--- chat
timeout 20s
m connect /quiet?user=mo&role=moderator
b connect /quiet?user=bob other=m rcvbuf=65536
b2 connect /quiet?user=bob same=m rcvbuf=65536
for who m b b2
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"r"}
$who < {"type":"ok","id":1}
end
b pause
b2 pause
perl large m 300
m > {"type":"kick","id":2,"room":"r","user":"bob"}
m skip {"type":"ok","id":2}
perl large m 10
b resume
b2 resume
for who b b2
perl until_kicked $who 301
$who nothing 100ms
$who > {"type":"ping","id":3}
$who < {"type":"ok","id":3}
end



=== TEST 4: his worker is killed before he is removed
--- chat
timeout 20s
m connect /chat?user=mo&role=moderator
b connect /chat?user=bob other=m
for who m b
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"r"}
$who < {"type":"ok","id":1}
end
m < {"type":"joined","user":"bob","members":2}
nginx freeze b
m > {"type":"kick","id":2,"room":"r","user":"bob"}
m < {"type":"ok","id":2}
m < {"type":"kicked","user":"bob"}
nginx kill b
b connect /chat?user=bob other=m
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"r"}
b < {"type":"ok","id":1,"members":2}
m < {"type":"joined","user":"bob","members":2}
m nothing 1200ms
m > {"type":"members","id":3,"room":"r"}
m < {"type":"ok","id":3,"members":2,"presence":"%[2]"}
--- faults
exited on signal 9



=== TEST 5: where users are counted, the number is told when one is expelled
--- config
    location /count {
        chat              chat;
        chat_presence     count;
        chat_user         $arg_user;
        chat_user_role    $arg_role;
        chat_leave_delay  0;
    }
    location /limit {
        chat                 chat;
        chat_presence        full;
        chat_presence_limit  2;
        chat_user            $arg_user;
        chat_user_role       $arg_role;
        chat_leave_delay     0;
    }
--- chat
for where count limit
m connect /$where?user=mo&role=moderator
b connect /$where?user=bob other=m
c connect /$where?user=carol
for who m b c
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"$where"}
$who < {"type":"ok","id":1}
end
m skip {"type":"members","room":"$where","members":3}
m > {"type":"kick","id":2,"room":"$where","user":"bob"}
m skip {"type":"kicked","user":"bob"}
within 3s
m skip {"type":"members","room":"$where","members":2}
c skip {"type":"members","room":"$where","members":2}
end
m drop
b drop
c drop
end
