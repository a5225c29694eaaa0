
# Tests for many workers: whoever is where, all see the same.

use lib 't/lib';
use Test::Nginx::Chat;

workers(16);

default_http_config('chat_zone chat:4m;');

default_config(<<'_EOC_');
    location /chat {
        chat       chat;
        chat_user  $arg_user;
        chat_room  $arg_room;
    }

    location /raw {
        chat           chat;
        chat_protocol  raw;
        chat_room      $arg_room;
        chat_history   off;
    }
_EOC_

our $In;

play();


# are the clients m1 to mN on at least so many workers?

sub spread {
    my ($script, $n, $least) = @_;

    my %worker = map { $script->client("m$_")->{worker} => 1 } 1 .. $n;

    die 'on ' . keys(%worker) . " workers\n" if keys %worker < $least;
}


# of so many clients those who are let in are members, the others get a 503

sub connect_some {
    my ($script, $n) = @_;

    my %worker;
    my ($in, $out) = (0, 0);

    for my $i (1 .. $n) {
        my $name = "c$in";
        $script->connect($name, "/chat?user=c$i&room=r", undef);
        my $client = $script->client($name);

        if ($client->{status} == 101) {
            $worker{$client->{worker}} = 1;
            $script->client_step($name, 'skip {"type":"joined"}');
            $in++;

        } elsif ($client->{status} == 503) {
            $out++;

        } else {
            die "$client->{status}\n";
        }
    }

    die "$in let in, $out not, " . keys(%worker) . " workers\n"
        if keys %worker > 4 || keys %worker < 2 || !$out;

    $script->client("c$in")->drop if $script->{clients}{"c$in"};
    $In = $in;
}


sub talk {
    my ($script) = @_;

    for my $i (0 .. $In - 1) {
        $script->client_step("c$i",
                             qq(> {"type":"send","room":"r","text":"$i"}));
    }

    for my $i (0 .. $In - 1) {
        $script->client_step("c$i", "seqs 1..$In r");
    }
}

__DATA__

=== TEST 1: forty members on sixteen workers
--- chat
timeout 20s
for n 1..40
m$n connect /chat?user=m$n&room=r record
m$n skip {"type":"joined","members":$n}
end
perl spread 40 8
for i 1..5
for n 1..40
m$n > {"type":"send","room":"r","text":"m$n $i"}
end
end
for n 1..40
m$n seqs 1..200 r
end
for n 2..40
same m1 m$n
end



=== TEST 2: members come and go on all of them
--- chat
timeout 20s
a connect /raw?room=1
for round 1..4
for n 1..20
m$n connect /raw?room=1
end
a text round $round
a recv text round $round
for n 1..20
m$n recv text round $round
end
for n 1..10
m$n close 1000
m$n closed 1000
end
for n 11..20
m$n reset
end
end



=== TEST 3: three generations of them
--- chat
timeout 30s
for round 1..3
for n 1..20
m$n connect /chat?user=m$n&room=r
m$n skip {"type":"joined"}
end
m1 > {"type":"send","room":"r","text":"round $round"}
for n 1..20
m$n skip {"type":"message","seq":$round,"text":"round $round"}
end
nginx reload
for n 1..20
m$n drop
end
end
nginx renewed



=== TEST 4: fewer slots than workers
Who has no slot could not be told of news: it says so in the log and refuses,
and the others serve.
--- http_config
chat_zone chat:4m workers=4;
--- chat
timeout 20s
perl connect_some 40
perl talk
log ~chat_zone "chat".*slot
