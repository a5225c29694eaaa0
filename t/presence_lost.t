
# Tests for people of whom a laggard was not told: what passes is not kept for
# ever, and who is too slow for it used to have a wrong list of people from then
# on, with somebody in it who had left, or without one who had come.  Now he is
# told so, once.  No other test saw that, for they are in time.
#
# A stopped worker is a reader that lags as far as one likes; what pushes the
# comings and goings out are reactions.

use lib 't/lib';
use Test::Nginx::Chat;

# who does not read answers no pings

default_http_config('chat_zone chat:8m; chat_rate off; chat_ping_interval 1h;');

default_config(<<'_EOC_');
    listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl;
    ssl_certificate      $TEST_NGINX_SERVER_ROOT/html/chat.crt;
    ssl_certificate_key  $TEST_NGINX_SERVER_ROOT/html/chat.key;

    location /chat {
        chat              chat;
        chat_presence     full;
        chat_user         $arg_user;
        chat_leave_delay  0;
    }

    location /few {
        chat                 chat;
        chat_presence        full;
        chat_presence_limit  2;
        chat_user            $arg_user;
        chat_leave_delay     0;
    }

    location /count {
        chat              chat;
        chat_presence     count;
        chat_user         $arg_user;
        chat_leave_delay  0;
    }

    location /off {
        chat              chat;
        chat_presence     off;
        chat_user         $arg_user;
        chat_leave_delay  0;
    }

    location /slow {
        chat               chat;
        chat_presence      full;
        chat_user          $arg_user;
        chat_leave_delay   0;
        chat_send_timeout  1h;
        chat_history       messages=10 age=1h;
        chat_message_size  200k;
    }
_EOC_

play();


our @Others;


# Reactions, of 100 bytes and more each: enough of them push out what passed
# before.  Not all at once, for who sends them is to be in time.

sub storm {
    my ($script, $who, $room, $n, $seq) = @_;

    $seq //= 1;

    for my $i (1 .. $n) {
        $script->send_message($script->client($who), 'text', 0,
            qq({"type":"react","room":"$room","seq":$seq,"emoji":"e$i"}));

        reactions($script, $who, $i) if $i % 100 == 0;
    }
}


# reads up to the n-th one; what came else?

sub reactions {
    my ($script, $who, $n) = @_;

    my $client = $script->client($who);

    @Others = ();

    for ( ;; ) {
        my $event = $script->get($client);

        if ($event->{payload} !~ /"type":"reacted".*"emoji":"e(\d+)"/) {
            push @Others, $event->{payload};

        } elsif ($1 == $n) {
            return;
        }
    }
}


# reads what there is of one type, up to a message

sub only {
    my ($script, $who, $type) = @_;

    for (our $Only = 0; ; $Only++) {
        my $event = $script->get($script->client($who));
        my $o = Test::Nginx::Chat::Match::decode($event->{payload});

        return if $o->{type} eq 'message';
        die "$event->{payload}\n" if $o->{type} ne $type;
    }
}


# reads messages and gaps, up to the word that something was lost, which is in
# front of what passed later

sub until_lost {
    my ($script, $who, $members) = @_;

    for ( ;; ) {
        my $event = $script->get($script->client($who));
        my $o = Test::Nginx::Chat::Match::decode($event->{payload});

        next if $o->{type} =~ /^(message|gap)$/;

        return if $o->{type} eq 'members' && $o->{lost}
                  && $o->{members} == $members;

        die "$event->{payload}\n";
    }
}


# text of n characters, of which half stays when it is compressed

sub noise {
    my ($n) = @_;

    open my $random, '<', '/dev/urandom' or die "/dev/urandom: $!\n";
    read $random, my $bytes, $n / 2;

    return unpack 'H*', $bytes;
}

__DATA__

=== TEST 1: he is told once, before what comes behind it, and can ask
--- chat
timeout 20s
a connect /chat?user=alice
s connect /chat?user=slow other=a
b connect /chat?user=bob same=a
d connect /chat?user=dave same=a
for who a s d
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"r"}
$who skip {"type":"ok","id":1}
end
a > {"type":"send","room":"r","text":"seq 1"}
s skip {"type":"message","seq":1}
nginx freeze s
b > {"type":"join","id":1,"room":"r"}
b skip {"type":"ok","id":1}
d > {"type":"leave","id":2,"room":"r"}
a skip {"type":"left","user":"dave"}
perl storm a r 1000
nginx thaw
s < {"type":"members","room":"r","members":3,"lost":true,"ts":"%number"}
s < {"type":"reacted","emoji":"$emoji"}
ok $emoji ne "e1"
perl reactions s 1000
ok @main::Others == 0
s > {"type":"members","id":2,"room":"r"}
s < {"type":"ok","id":2,"members":3,"presence":"%[3]"}
d > {"type":"join","id":3,"room":"r"}
s < {"type":"joined","user":"dave","members":4}



=== TEST 2: as often as it happens, and not for what is still there
--- chat
timeout 20s
a connect /chat?user=alice
s connect /chat?user=slow other=a
for who a s
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"r"}
$who skip {"type":"ok","id":1}
end
a > {"type":"send","room":"r","text":"seq 1"}
s skip {"type":"message","seq":1}
for round 1..2
nginx freeze s
perl storm a r 1000
nginx thaw
s < {"type":"members","members":2,"lost":true}
perl reactions s 1000
ok @main::Others == 0
nginx freeze s
perl storm a r 200
nginx thaw
s < {"type":"reacted","emoji":"e1"}
perl reactions s 200
ok @main::Others == 0
end



=== TEST 3: where users are counted, the last number comes
--- chat
timeout 20s
for n 1..2
set path = $n == 1 ? "count" : "few"
a connect /$path?user=alice
s connect /$path?user=slow other=a
b connect /$path?user=bob same=a
for who a s
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"$path"}
$who skip {"type":"ok","id":1}
end
a > {"type":"send","room":"$path","text":"seq 1"}
a skip {"type":"message","seq":1}
s skip {"type":"message","seq":1}
nginx freeze s
b > {"type":"join","id":1,"room":"$path"}
a skip {"type":"members","members":3}
perl storm a $path 1000
nginx thaw
s < {"type":"members","room":"$path","members":3,"lost":"%absent"}
perl reactions s 1000
ok @main::Others == 0
end



=== TEST 4: where nobody is told of users, nothing is said
--- chat
timeout 20s
a connect /off?user=alice
s connect /off?user=slow other=a
for who a s
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"r"}
$who skip {"type":"ok","id":1}
end
a > {"type":"send","room":"r","text":"seq 1"}
s skip {"type":"message","seq":1}
nginx freeze s
perl storm a r 1000
nginx thaw
s < {"type":"reacted","emoji":"$emoji"}
ok $emoji ne "e1"
perl reactions s 1000
ok @main::Others == 0



=== TEST 5: nor of an inbox
--- chat
timeout 20s
a connect /chat?user=alice
s connect /chat?user=slow other=a
a < {"type":"welcome"}
s < {"type":"welcome"}
nginx freeze s
for i 1..500
a > {"type":"typing","id":$i,"to":"slow"}
a < {"type":"ok","id":$i}
a > {"type":"typing","id":$i,"to":"slow","on":false}
a < {"type":"ok","id":$i}
end
a > {"type":"send","id":1,"to":"slow","text":"seq 1"}
a skip {"type":"ok","id":1}
nginx thaw
perl only s typing
ok $main::Only > 100 && $main::Only < 1000



=== TEST 6: a reader that does not read, over TLS and compressed, too
What it has not got of what is kept is a gap of its own.
--- chat
timeout 20s
for how plain tls deflate
set opt = { plain => "", deflate => "deflate", tls => "tls port=$TEST_NGINX_RAND_PORT_1" }->{$how}
a connect /slow?user=alice
s connect /slow?user=slow other=a rcvbuf=4096 $opt
b connect /slow?user=bob other=s
for who a s
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"$how"}
$who skip {"type":"ok","id":1}
end
s pause
for i 1..60
a > {"type":"send","room":"$how","text":"$(main::noise(150000))"}
a skip {"type":"message","seq":$i}
end
b > {"type":"join","id":1,"room":"$how"}
b skip {"type":"ok","id":1}
perl storm a $how 1000 60
s resume
perl until_lost s 3
s > {"type":"members","id":2,"room":"$how"}
s skip {"type":"ok","id":2,"members":3,"presence":"%[3]"}
a > {"type":"send","room":"$how","text":"end"}
s skip {"type":"message","seq":61}
end



=== TEST 7: a reader that is behind by more than a cursor can count
A place in what passes is a number of 16 bits: 65,536 entries later it would
look like one that has missed nothing.
--- chat
timeout 60s
a connect /slow?user=alice
s connect /slow?user=slow other=a rcvbuf=4096
for who a s
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"r"}
$who skip {"type":"ok","id":1}
end
s pause
for i 1..60
a > {"type":"send","room":"r","text":"$(main::noise(150000))"}
a skip {"type":"message","seq":$i}
end
perl storm a r 65536 60
s resume
perl until_lost s 2
