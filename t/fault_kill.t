
# Tests for a worker that is killed: the others' clients notice nothing, and
# its own resume without loss.

use lib 't/lib';
use Test::Nginx::Chat;

default_http_config('chat_zone chat:8m;');

default_config(<<'_EOC_');
    location /chat {
        chat       chat;
        chat_user  $arg_user;
    }

    location /raw {
        chat           chat;
        chat_protocol  raw;
        chat_room      $arg_room;
    }
_EOC_

play();

our $Seen = 0;


# reads on until nothing more comes; every number follows the one before

sub drain {
    my ($script, $who) = @_;

    my $client = $script->client($who);

    while (Test::Nginx::Chat::Client->until(0.2, sub { @{ $client->{queue} } }))
    {
        my $event = $script->get($client);
        my $o = Test::Nginx::Chat::Match::decode($event->{payload});
        next if $o->{type} ne 'message';
        die "after $Seen: $event->{payload}\n" if $o->{seq} != ++$Seen;
    }
}


sub consecutive {
    my ($script, $who) = @_;

    for ( ;; ) {
        my $event = $script->get($script->client($who));
        my $o = Test::Nginx::Chat::Match::decode($event->{payload});
        next if !$o->{messages};

        my @seqs = map { $_->{seq} } @{ $o->{messages} };
        die "@seqs\n" if @seqs < 2 || "@seqs" ne join ' ', $seqs[0] .. $Seen;
        return;
    }
}


# who died is noticed by whoever looks, within a second or two

sub members_soon {
    my ($script, $who, $room, $n) = @_;

    my $client = $script->client($who);
    my $o;

    for my $try (1 .. 60) {
        $client->frame(op => 1, payload =>
            qq({"type":"join","id":"m$try","room":"$room"}));

        do {
            my $event = $script->get($client);
            $o = Test::Nginx::Chat::Match::decode($event->{payload});
        } while (($o->{id} // '') ne "m$try");

        return if $o->{members} == $n;
        Test::Nginx::Chat::Client->until(0.1, sub { 0 });
    }

    die "members are $o->{members}, not $n\n";
}

__DATA__

=== TEST 1: others go on, and the killed one's clients come back
--- chat
timeout 20s
a connect /chat?user=alice
b connect /chat?user=bob other=a
c connect /chat?user=carol same=a
for who a b c
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1,"epoch":"$epoch"}
end
for i 1..3
b > {"type":"send","room":"lobby","text":"m$i"}
end
for who a b c
$who seqs 1..3
end
nginx kill b
b eof
within 1s
for i 4..6
a > {"type":"send","room":"lobby","text":"m$i"}
c < {"type":"message","seq":$i}
end
end
a seqs 4..6
b connect /chat?user=bob other=a
b < {"type":"welcome"}
b > {"type":"join","id":2,"room":"lobby","epoch":"$epoch","seq":3}
b < {"type":"ok","id":2,"recovered":true,"epoch":"$epoch", \
    "messages":[{"seq":4,"text":"m4"},{"seq":5},{"seq":6,"text":"m6"}]}
b > {"type":"send","room":"lobby","text":"m7"}
for who a b c
$who seqs 7..7
end
--- faults
exited on signal 9



=== TEST 2: what was acknowledged is kept, though the worker died at once
--- chat
timeout 20s
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":0,"room":"lobby"}
$who < {"type":"ok","id":0,"epoch":"$epoch"}
end
for i 1..20
a > {"type":"send","id":$i,"room":"lobby","text":"m$i"}
a skip {"type":"ok","id":$i,"seq":$i}
end
nginx kill a
b seqs 1..20
a connect /chat?user=alice other=b
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby","epoch":"$epoch","seq":0}
a < {"type":"ok","id":1,"recovered":true,"seq":20,"messages":"%[20]"}
--- faults
exited on signal 9



=== TEST 3: killed in the middle of a storm, again and again
--- chat
timeout 30s
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"epoch":"$epoch"}
set seen = 0
for round 1..8
b connect /chat?user=bob other=a
b < {"type":"welcome"}
b > {"type":"join","id":2,"room":"lobby","epoch":"$epoch","seq":$seen}
b < {"type":"ok","id":2,"recovered":true,"epoch":"$epoch"}
b cork
for i 1..200
b > {"type":"send","room":"lobby","text":"$("y" x 500)"}
end
b flush
nginx kill b
a > {"type":"send","room":"lobby","text":"end of round $round"}
perl drain a
set seen = $main::Seen
ok $main::Script->client("a")->{last}{payload} =~ /end of round /
end
a > {"type":"history","id":10,"room":"lobby","limit":100}
perl consecutive a
--- faults
exited on signal 9



=== TEST 4: both workers, one after the other
--- chat
timeout 20s
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1,"epoch":"$epoch"}
end
a > {"type":"send","room":"lobby","text":"m1"}
a seqs 1..1
b seqs 1..1
nginx kill a
nginx kill b
a eof
b eof
a connect /chat?user=alice
b connect /chat?user=bob other=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":2,"room":"lobby","epoch":"$epoch","seq":0}
$who < {"type":"ok","id":2,"recovered":true,"epoch":"$epoch","messages":"%[1]"}
end
b > {"type":"send","room":"lobby","text":"m2"}
a seqs 2..2
b seqs 2..2
--- faults
exited on signal 9



=== TEST 5: the killed one's members are members no more
--- chat
timeout 20s
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"members":1}
for i 1..5
b$i connect /chat?user=b$i other=a
b$i < {"type":"welcome"}
b$i > {"type":"join","id":1,"room":"lobby"}
b$i < {"type":"ok","id":1,"members":$($i + 1)}
end
nginx kill b1
perl members_soon a lobby 1
--- faults
exited on signal 9



=== TEST 6: raw mode
--- chat
timeout 20s
a connect /raw?room=1
b connect /raw?room=1 other=a
a text one
a recv text one
b recv text one
nginx kill b
b eof
a text two
a recv text two
b connect /raw?room=1 other=a
b recv text one
b recv text two
b text three
a recv text three
b recv text three
--- faults
exited on signal 9



=== TEST 7: one of an old generation is killed, and nobody takes its place
The master starts no other worker for one that was to go: whoever is there
must notice, and take its members out of their rooms.
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
nginx signal HUP
a skip {"type":"bye"}
a skip closed 1012
nginx slay b
c connect /chat?user=carol
c < {"type":"welcome"}
c > {"type":"join","id":1,"room":"lobby"}
c < {"type":"ok","id":1,"epoch":"$epoch"}
perl members_soon c lobby 1
--- faults
exited on signal 9
