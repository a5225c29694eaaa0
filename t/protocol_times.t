
# Tests for counts and times: what the answers and events say of a room's
# members is the same at each step, and its times never go back.

use lib 't/lib';
use Test::Nginx::Chat;

default_http_config('chat_zone chat:4m; chat_rate off;');

default_config(<<'_EOC_');
    location /chat {
        chat              chat;
        chat_user         $arg_user;
        chat_user_role    $arg_role;
        chat_presence     full;
        chat_leave_delay  0;
    }

    location /room {
        chat              chat;
        chat_user         $arg_user;
        chat_room         lobby;
        chat_presence     full;
        chat_leave_delay  0;
    }
_EOC_

play();


# All that WHO can ask says that there are so many in the room.

sub count {
    my ($script, $who, $members) = @_;

    my $client = $script->client($who);

    for my $command ('"members","room":"lobby"', '"rooms","prefix":"lobby"',
                     '"join","room":"lobby","history":0,"presence":true')
    {
        $script->client_step($who, qq(> {"id":"count","type":$command}));
        $script->client_step($who, 'skip {"type":"ok","id":"count"}');

        my $reply = Test::Nginx::Chat::Match::decode(
                        $client->{last}{payload});
        my $got = $reply->{rooms} ? $reply->{rooms}[0]{members}
                                  : $reply->{members};

        die "$command: $got\n" if $got != $members;
        die "$command: not $members in the list\n"
            if $reply->{presence} && @{$reply->{presence}} != $members;
    }
}


# what WHO has recorded: no ts of an entry is smaller than one in front of it

sub times {
    my ($script, $who, $n) = @_;

    my $last = 0;
    my $seq = 0;

    for my $text (@{$script->client($who)->{seen}}) {
        my $o = Test::Nginx::Chat::Match::decode($text);

        next if !$o->{seq} || $o->{type} eq 'ok' || $o->{type} eq 'read';

        die "$text came after $seq\n" if $o->{seq} != ++$seq;
        die "$text came after $last\n" if $o->{ts} < $last;

        $last = $o->{ts};
    }

    die "$seq entries\n" if $seq != $n;
}

__DATA__

=== TEST 1: members, wherever the number stands
--- chat
ann connect /chat?user=ann&role=owner
ann < {"type":"welcome"}
ann > {"type":"join","id":1,"room":"lobby"}
ann < {"type":"ok","id":1,"members":1}
perl count ann 1
for n 2..5
u$n connect /chat?user=u$n $($n % 2 ? "same" : "other")=ann
u$n < {"type":"welcome"}
u$n > {"type":"join","id":1,"room":"lobby"}
u$n < {"type":"ok","id":1,"members":$n}
ann < {"type":"joined","user":"u$n","members":$n}
perl count ann $n
perl count u$n $n
end

# a second connection, and a room of the location's
v2 connect /room?user=u2 other=ann
v2 < {"type":"welcome"}
v2 < {"type":"joined","room":"lobby","user":"u2","members":5,"presence":"%absent"}
perl count v2 5
u6 connect /room?user=u6 same=ann
u6 < {"type":"welcome"}
u6 < {"type":"joined","room":"lobby","user":"u6","members":6}
ann < {"type":"joined","user":"u6","members":6}
perl count ann 6

# out by a word, without a word, by a kick, by a ban
u2 > {"type":"leave","id":2,"room":"lobby"}
u2 skip {"type":"ok","id":2}
perl count ann 6
v2 drop
ann < {"type":"left","user":"u2","members":5}
perl count ann 5
u3 reset
ann < {"type":"left","user":"u3","members":4}
perl count ann 4
ann > {"type":"kick","id":3,"room":"lobby","user":"u4"}
ann skip {"type":"ok","id":3}
perl count ann 3
ann > {"type":"ban","id":4,"room":"lobby","user":"u5"}
ann skip {"type":"ok","id":4}
perl count ann 2
perl count u6 2

# who is away is no member, whatever is known of him
ann > {"type":"mute","id":5,"room":"lobby","user":"u3"}
ann skip {"type":"ok","id":5}
ann > {"type":"grant","id":6,"room":"lobby","user":"never","role":"owner"}
ann skip {"type":"ok","id":6}
perl count u6 2
u4 > {"type":"join","id":7,"room":"lobby"}
u4 skip {"type":"ok","id":7,"members":3}
perl count ann 3



=== TEST 2: times of entries of all kinds, from all workers
--- chat
ann connect /chat?user=ann&role=owner record=all
bob connect /chat?user=bob&role=owner other=ann record=all
for who ann bob
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
for n 1..5
for who ann bob
$who > {"type":"send","id":2,"room":"lobby","text":"$n"}
end
for who ann bob
$who skip {"type":"ok","id":2,"seq":"%>0"}
$who > {"type":"edit","id":3,"room":"lobby","seq":$(8 * $n - 7),"text":"x"}
$who > {"type":"set","id":4,"room":"lobby","topic":"$n"}
$who > {"type":"mute","id":5,"room":"lobby","user":"eve"}
end
for who ann bob
$who skip {"type":"ok","id":5}
end
end
ann > {"type":"send","room":"lobby","text":"last"}
for who ann bob
$who skip {"type":"message","text":"last"}
perl times $who 41
end



=== TEST 3: the clock of the answers is the clock of the events
--- chat
ann connect /chat?user=ann
bob connect /chat?user=bob other=ann
ann < {"type":"welcome","ts":"$came"}
bob < {"type":"welcome"}
ann > {"type":"ping","id":1}
ann < {"type":"ok","id":1,"ts":"$ping"}
ok $ping >= $came
ann > {"type":"join","id":2,"room":"lobby","presence":true}
ann < {"type":"ok","id":2,"presence":[{"user":"ann","since":"$since"}]}
ok $since >= $came && $since < $came + 60000
bob > {"type":"join","id":2,"room":"lobby"}
bob < {"type":"ok","id":2}
ann < {"type":"joined","user":"bob","ts":"$joined"}
ok $joined >= $since - 1000 && $joined < $since + 60000
ann > {"type":"send","id":3,"room":"lobby","text":"x"}
ann skip {"type":"ok","id":3,"ts":"$sent"}
bob < {"type":"message","ts":$sent}
ann > {"type":"edit","id":4,"room":"lobby","seq":1,"text":"y"}
ann skip {"type":"ok","id":4}
bob < {"type":"edited","ts":"$edited"}
bob > {"type":"history","id":5,"room":"lobby"}
bob < {"type":"ok","id":5,"messages":[{"ts":$sent,"edited":$edited},{"ts":$edited}]}
ann > {"type":"delete","id":6,"room":"lobby","seq":1}
ann skip {"type":"ok","id":6}
bob < {"type":"deleted","ts":"$deleted"}
bob > {"type":"history","id":7,"room":"lobby","limit":50}
bob < {"type":"ok","id":7,"messages":[{"ts":$sent,"deleted":$deleted}, \
    {"ts":$edited,"deleted":$deleted},{"ts":$deleted}]}
