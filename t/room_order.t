
# Tests for the promises of order and completeness, over two workers and many
# members: every member sees every message once, in the order of the numbers.

use lib 't/lib';
use Test::Nginx::Chat;

default_http_config('chat_zone chat:8m;');

default_config(<<'_EOC_');
    location /chat {
        chat       chat;
        chat_user  $arg_user;
        chat_room  $arg_room;
    }

    location /late {
        chat        chat;
        chat_user   $arg_user;
        chat_delay  200ms;
    }
_EOC_

play();


# each of the rooms has its messages 1 to n, whatever is between them

sub rooms_in_order {
    my ($script, $who, $rooms, $n) = @_;

    my %seq;

    for (1 .. $rooms * $n) {
        my $event = $script->get($script->client($who));
        my $o = Test::Nginx::Chat::Match::decode($event->{payload});

        die "$event->{payload}\n" if $o->{seq} != ++$seq{$o->{room}};
    }

    die "not all rooms\n" if keys %seq != $rooms;
}


# a joined event with the recent messages, then all others without a seam

sub joined_then_all {
    my ($script, $who, $last) = @_;

    my $client = $script->client($who);
    my $event = $script->get($client);
    $event = $script->get($client);
    my $o = Test::Nginx::Chat::Match::decode($event->{payload});

    die "$event->{payload}\n" if $o->{type} ne 'joined';

    my $seq = $o->{seq};
    my @messages = @{ $o->{messages} };
    die "history ends with $messages[-1]{seq}, not $seq\n"
        if @messages && $messages[-1]{seq} != $seq;

    while ($seq < $last) {
        $event = $script->get($client);
        $o = Test::Nginx::Chat::Match::decode($event->{payload});
        die "after $seq: $event->{payload}\n" if $o->{seq} != ++$seq;
    }
}

__DATA__

=== TEST 1: eight members on two workers, all talking at once
--- chat
timeout 20s
a connect /chat?user=a&room=r record
for who b c d
$who connect /chat?user=$who&room=r same=a record
end
for who e f g h
$who connect /chat?user=$who&room=r other=a record
end
for who a b c d e f g h
$who skip {"type":"joined"}
end
for i 1..50
for who a b c d e f g h
$who > {"type":"send","room":"r","text":"$who$i"}
end
end
for who a b c d e f g h
$who seqs 1..400 r
end
same a b c d e f g h



=== TEST 2: bursts of many commands in one segment
--- chat
timeout 20s
a connect /chat?user=a&room=r record
b connect /chat?user=b&room=r other=a record
for who a b
$who skip {"type":"joined"}
end
for i 1..5
for who a b
$who cork
for j 1..100
$who > {"type":"send","room":"r","text":"$who $i $j $("x" x $j)"}
end
$who flush
end
end
for who a b
$who seqs 1..1000 r
end
same a b



=== TEST 3: many rooms at once
--- chat
timeout 20s
a connect /chat?user=a
b connect /chat?user=b other=a
for who a b
$who < {"type":"welcome"}
for room 1..20
$who > {"type":"join","id":$room,"room":"r$room"}
$who < {"type":"ok","id":$room}
end
end
for i 1..10
for room 1..20
a > {"type":"send","room":"r$room","text":"a"}
b > {"type":"send","room":"r$room","text":"b"}
end
end
perl rooms_in_order a 20 20
perl rooms_in_order b 20 20



=== TEST 4: who joins in the middle misses nothing from then on
--- chat
timeout 20s
a connect /chat?user=a&room=r
a skip {"type":"joined"}
for i 1..10
a cork
for j 1..20
a > {"type":"send","room":"r","text":"x"}
end
a flush
b$i connect /chat?user=b$i&room=r other=a
end
for i 1..10
perl joined_then_all b$i 200
end



=== TEST 5: messages that wait are sent together, in order
--- chat
a connect /late?user=a
b connect /late?user=b other=a
for who a b
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"r"}
$who < {"type":"ok","id":1}
end
for i 1..20
a > {"type":"send","room":"r","text":"$i"}
end
b nothing 20ms
b seqs 1..20 r
a seqs 1..20 r
