
# Tests for gap: what a member is told when its place is gone from the log.
# A stopped worker is a reader that lags as far as one likes.

use lib 't/lib';
use Test::Nginx::Chat;

default_config(<<'_EOC_');
    location /chat {
        chat          chat;
        chat_user     $arg_user;
        chat_history  messages=10 age=1h;
        chat_backlog  16k;
    }

    location /raw {
        chat           chat;
        chat_protocol  raw;
        chat_room      $arg_room;
        chat_history   messages=10 age=1h;
        chat_backlog   16k;
    }
_EOC_

play();


# live messages and gaps together leave nothing out up to the last number

sub complete {
    my ($script, $who, $last) = @_;

    my $client = $script->client($who);
    my ($seq, $gaps) = (0, 0);

    while ($seq < $last) {
        my $event = $script->get($client);
        my $o = Test::Nginx::Chat::Match::decode($event->{payload});

        if ($o->{type} eq 'gap') {
            die "gap at $seq: $event->{payload}\n"
                if $o->{from} != $seq + 1 || $o->{to} < $o->{from}
                   || $o->{to} > $last || ($o->{room} // '') ne 'lobby';
            $seq = $o->{to};
            $gaps++;
            next;
        }

        die "after $seq: $event->{payload}\n" if $o->{seq} != ++$seq;
    }

    die "no gap\n" if !$gaps;
}

__DATA__

=== TEST 1: a worker that stood still
--- chat
timeout 20s
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1,"epoch":"$epoch"}
end
nginx freeze b
for i 1..300
a > {"type":"send","room":"lobby","text":"$("x" x 300)$i"}
a < {"type":"message","seq":$i}
end
nginx thaw
perl complete b 300
a > {"type":"send","room":"lobby","text":"live"}
b < {"type":"message","seq":301,"text":"live"}



=== TEST 2: what was missed can be asked for, as far as it is kept
--- chat
timeout 20s
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
nginx freeze b
for i 1..300
a > {"type":"send","room":"lobby","text":"$("x" x 300)$i"}
a < {"type":"message","seq":$i}
end
nginx thaw
b < {"type":"gap","room":"lobby","from":1,"to":"$to"}
ok $to > 200 && $to < 300
b seqs $($to + 1)..300 lobby
b > {"type":"history","id":2,"room":"lobby","limit":10}
b < {"type":"ok","id":2,"messages":"%[10]"}



=== TEST 3: a member that keeps up has no gap
--- chat
timeout 20s
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
for i 1..300
a > {"type":"send","room":"lobby","text":"$("x" x 300)$i"}
a < {"type":"message","seq":$i}
b < {"type":"message","seq":$i}
end



=== TEST 4: nor has who shares a worker with a burst that is larger than the backlog
Four times the backlog in one segment: what was not delivered yet is not
dropped by what the same worker takes in.
--- chat
timeout 20s
a connect /chat?user=alice
c connect /chat?user=carol same=a
for who a c
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
a cork
for i 1..160
a > {"type":"send","room":"lobby","text":"$("x" x 400)"}
end
a flush
a seqs 1..160 lobby
c seqs 1..160 lobby



=== TEST 5: in raw mode nobody can be told of a gap: closed with 1013
--- chat
timeout 20s
a connect /raw?room=1
b connect /raw?room=1 other=a
nginx freeze b
for i 1..300
a text $("x" x 300)$i
a recv text ~x$i$
end
nginx thaw
b skip closed 1013
a text still here
a recv text still here
