
# Tests for workers that are killed again and again while everybody talks: all
# that is held afterwards is what clients were told, and no block is lost.

use lib 't/lib';
use Test::Nginx::Chat;

default_http_config('chat_zone chat:1m;');

default_config(<<'_EOC_');
    location /chat {
        chat          chat;
        chat_user     $arg_user;
        chat_history  messages=100000 age=1h;
        chat_backlog  16k;
        chat_leave_delay  0;
    }
_EOC_

my $Seed = $ENV{TEST_CHAT_SEED} || time;
our ($Id, $Capacity) = (0, 0);

play();


# how many messages of 1000 bytes a room keeps when it has the zone to itself

sub capacity {
    my ($script, $room) = @_;

    $script->client_step('cap', "connect /chat?user=cap");
    $script->client_step('cap', 'skip {"type":"welcome"}');
    my $client = $script->client('cap');
    command($script, $client, "join", qq("room":"$room"));

    for (1 .. 1500) {
        command($script, $client, "send",
                qq("room":"$room","text":") . 'x' x 1000 . '"');
    }

    my $o = command($script, $client, "history",
                    qq("room":"$room","after":0,"limit":1));
    my $last = command($script, $client, "history",
                       qq("room":"$room","limit":1));
    $client->drop;

    return $last->{messages}[0]{seq} - $o->{messages}[0]{seq} + 1;
}


sub command {
    my ($script, $client, $type, $fields) = @_;

    my $id = ++$Id;
    $client->frame(op => 1,
                   payload => qq({"type":"$type","id":"c$id",$fields}));

    for ( ;; ) {
        my $event = $script->get($client);
        my $o = Test::Nginx::Chat::Match::decode($event->{payload});
        next if ($o->{id} // '') ne "c$id";
        die "$event->{payload}\n" if $o->{type} ne 'ok';
        return $o;
    }
}


sub measure {
    my ($script) = @_;

    $Capacity = capacity($script, 'before');
    die "only $Capacity\n" if $Capacity < 200;
}


# the rooms that were made meanwhile may still take a few blocks

sub same_capacity {
    my ($script) = @_;

    my $n = capacity($script, 'after');
    die "$n of $Capacity\n" if $n < $Capacity - 8;
}


# two talkers on each worker, in several rooms; kills at random moments

sub storm {
    my ($script, $rounds) = @_;

    # shown where the test fails; TEST_CHAT_SEED repeats it
    $script->{vars}{seed} = $Seed;
    srand $Seed;

    for my $round (1 .. $rounds) {
        for my $n (1 .. 4) {
            my $name = "t$n";
            my $where = $n == 1 ? '' : $n % 2 ? 'same=t1' : 'other=t1';
            $script->client_step($name, "connect /chat?user=$name $where");
            my $client = $script->client($name);

            for my $room (1 .. 3) {
                $client->frame(op => 1, payload =>
                    qq({"type":"join","room":"r$room"}));
            }

            $client->{cork} = 1;
            $client->{corked} = '';
            for my $i (1 .. 60) {
                my $text = 'y' x int rand 900;
                $client->frame(op => 1, payload =>
                    sprintf '{"type":"send","room":"r%d","text":"%s"}',
                            1 + rand 3, $text);
            }
            $script->client_flush($client);
        }

        Test::Nginx::Chat::Client->turn(0) for 1 .. rand 4;
        select undef, undef, undef, rand 0.004;
        my $pid = $script->client(rand() < 0.5 ? 't1' : 't2')->{worker};
        $script->{server}->kill_worker($pid);

        for my $n (1 .. 4) {
            in_order($script->client("t$n"));
            $script->client("t$n")->drop;
        }
    }
}


# what one client saw until its worker died, or until now

sub in_order {
    my ($client) = @_;

    Test::Nginx::Chat::Client->turn(0) for 1 .. 3;
    my %seq;

    for my $event (@{ $client->{queue} }) {
        die "$client->{name}: $event->{payload}\n"
            if $event->{kind} eq 'broken';
        next if $event->{kind} ne 'text';

        my $o = Test::Nginx::Chat::Match::decode($event->{payload});
        $seq{$o->{room}} = $o->{to} if $o->{type} eq 'gap';
        next if $o->{type} ne 'message';

        my $last = $seq{$o->{room}};
        die "$client->{name}: $o->{seq} after $last in $o->{room}\n"
            if defined $last && $o->{seq} != $last + 1;
        $seq{$o->{room}} = $o->{seq};
    }
}


# every room's history is consecutive and whole

sub histories {
    my ($script) = @_;

    $script->client_step('h', 'connect /chat?user=h');
    my $client = $script->client('h');

    for my $room (map { "r$_" } 1 .. 3) {
        my $o = command($script, $client, 'join', qq("room":"$room"));
        my $end = $o->{seq};
        my $after = 0;
        my $first;

        while ($after < $end) {
            $o = command($script, $client, 'history',
                         qq("room":"$room","after":$after,"limit":100));
            die "$room: nothing after $after of $end\n"
                if !@{ $o->{messages} };

            for my $m (@{ $o->{messages} }) {
                $after = $m->{seq} - 1 if !defined $first;
                $first //= $m->{seq};
                die "$room: $m->{seq} after $after\n" if $m->{seq} != ++$after;
                die "$room: $m->{seq} is damaged\n"
                    if ($m->{text} // '!') !~ /^y*$/;
            }
        }
    }

    $client->drop;
}

__DATA__

=== TEST 1: twenty kills
--- quit_time: 20
--- chat
timeout 30s
perl measure
perl storm 20
perl histories
perl same_capacity
--- faults
exited on signal 9



=== TEST 2: rooms that come and go leave nothing behind
--- chat
timeout 30s
perl measure
for round 1..5
a connect /chat?user=alice
a < {"type":"welcome"}
b connect /chat?user=bob other=a
b < {"type":"welcome"}
for n 1..30
for who a b
$who > {"type":"join","id":"j","room":"x$round.$n"}
$who skip {"id":"j"}
end
a > {"type":"send","id":"s","room":"x$round.$n","text":"$("q" x (40 * $n))"}
a skip {"id":"s"}
end
a close 1000
a skip closed 1000
b reset
end
perl same_capacity
