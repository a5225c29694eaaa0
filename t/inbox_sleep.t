
# Tests for inboxes of which nothing is in a worker's memory until something
# comes for them.

use lib 't/lib';
use Test::Nginx::Chat;

workers(3);

default_http_config('chat_zone chat:4m; chat_rate off;');

default_config(<<'_EOC_');
    location /chat {
        chat              chat;
        chat_user         $arg_user;
        chat_close_delay  0;
    }

    location /one {
        chat                       chat;
        chat_user                  $arg_user;
        chat_rooms_per_connection  1;
    }

    location /guest {
        chat              chat;
        chat_leave_delay  0;
    }
_EOC_

play();


# sends to a user until there is none of that name

sub gone_soon {
    my ($script, $who, $user) = @_;

    my $client = $script->client($who);
    my $o;

    for my $try (1 .. 60) {
        $client->frame(op => 1, payload =>
            qq({"type":"send","id":"g$try","to":"$user","text":"there?"}));

        do {
            my $event = $script->get($client);
            $o = Test::Nginx::Chat::Match::decode($event->{payload});
        } while (($o->{id} // '') ne "g$try");

        return if ($o->{code} // '') eq 'no_such_user';
        Test::Nginx::Chat::Client->until(0.05, sub { 0 });
    }

    die "$user is still there\n";
}

__DATA__

=== TEST 1: each of a user's connections, whichever worker it is on
--- chat
a connect /chat?user=alice
b1 connect /chat?user=bob same=a
b2 connect /chat?user=bob other=a
b3 connect /chat?user=bob same=b2
c connect /chat?user=carol other=a
for who a b1 b2 b3 c
$who < {"type":"welcome"}
end
for i 1..3
a > {"type":"send","id":$i,"to":"bob","text":"dm $i"}
a skip {"type":"ok","id":$i,"room":"@alice","seq":$i}
for who b1 b2 b3
$who < {"type":"message","room":"@bob","seq":$i,"to":"bob","user":"alice", \
    "text":"dm $i"}
end
end
b3 > {"type":"send","id":9,"to":"alice","text":"back"}
for who b1 b2 b3
$who skip {"type":"message","room":"@bob","seq":4,"user":"bob","to":"alice"}
end
a skip {"type":"message","room":"@alice","seq":4,"user":"bob","text":"back"}
c nothing 100ms



=== TEST 2: a command about it wakes it
--- chat
b connect /chat?user=bob
b < {"type":"welcome"}
b > {"type":"history","id":1,"room":"@bob"}
b < {"type":"ok","id":1,"room":"@bob","messages":[],"more":false}
b > {"type":"history","id":2,"room":"@alice"}
b < {"type":"error","id":2,"code":"forbidden"}
a connect /chat?user=alice other=b
a < {"type":"welcome"}
a > {"type":"send","id":1,"to":"bob","text":"one"}
a skip {"type":"ok","id":1}
b < {"type":"message","room":"@bob","seq":1,"text":"one"}
b nothing 50ms



=== TEST 3: resumed while asleep
--- chat
b connect /chat?user=bob
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"@bob"}
b < {"type":"ok","id":1,"room":"@bob","epoch":"$epoch","seq":0}
b reset
a connect /chat?user=alice
a < {"type":"welcome"}
for i 1..2
a > {"type":"send","id":$i,"to":"bob","text":"dm $i"}
a skip {"type":"ok","id":$i}
end
b connect /chat?user=bob other=a
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"@bob","epoch":"$epoch","seq":0}
b < {"type":"ok","id":1,"recovered":true,"seq":2, \
    "messages":[{"seq":1,"text":"dm 1"},{"seq":2,"text":"dm 2"}]}
a > {"type":"send","id":3,"to":"bob","text":"dm 3"}
b < {"type":"message","seq":3,"text":"dm 3"}
b nothing 50ms



=== TEST 4: it is none of the rooms that a connection may have
--- chat
b connect /one?user=bob
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"r"}
b < {"type":"ok","id":1}
a connect /one?user=alice other=b
a < {"type":"welcome"}
a > {"type":"send","id":1,"to":"bob","text":"one"}
a skip {"type":"ok","id":1}
b < {"type":"message","room":"@bob","seq":1}
b > {"type":"join","id":2,"room":"s"}
b < {"type":"error","id":2,"code":"room_limit"}
b > {"type":"leave","id":3,"room":"r"}
b < {"type":"ok","id":3}
b > {"type":"join","id":4,"room":"s"}
b < {"type":"ok","id":4}
b > {"type":"join","id":5,"room":"t"}
b < {"type":"error","id":5,"code":"room_limit"}



=== TEST 5: the sender's worker is killed
Whoever was told by nobody looks for himself.
--- chat
timeout 20s
b connect /chat?user=bob
a connect /chat?user=alice other=b
for who a b
$who < {"type":"welcome"}
end
a > {"type":"send","id":1,"to":"bob","text":"one"}
a skip {"type":"ok","id":1}
nginx kill a
b < {"type":"message","room":"@bob","seq":1,"text":"one"}
c connect /chat?user=carol other=b
c < {"type":"welcome"}
c > {"type":"send","id":1,"to":"bob","text":"two"}
c skip {"type":"ok","id":1}
b < {"type":"message","room":"@bob","seq":2,"user":"carol","text":"two"}
--- faults
exited on signal 9



=== TEST 6: his own worker is killed
--- chat
timeout 20s
b connect /chat?user=bob
b2 connect /chat?user=bob other=b
a connect /chat?user=alice same=b2
for who a b b2
$who < {"type":"welcome"}
end
b > {"type":"join","id":1,"room":"@bob"}
b < {"type":"ok","id":1,"epoch":"$epoch"}
nginx kill b
a > {"type":"send","id":1,"to":"bob","text":"one"}
a skip {"type":"ok","id":1}
b2 < {"type":"message","seq":1,"text":"one"}
b connect /chat?user=bob other=a
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"@bob","epoch":"$epoch","seq":0}
b < {"type":"ok","id":1,"recovered":true,"messages":[{"seq":1}]}
--- faults
exited on signal 9



=== TEST 7: it falls asleep, and wakes
--- chat
timeout 20s
b connect /chat?user=bob
b2 connect /chat?user=bob same=b
a connect /chat?user=alice other=b
for who a b b2
$who < {"type":"welcome"}
end
b > {"type":"join","id":1,"room":"r"}
b < {"type":"ok","id":1}
for i 1..2
a > {"type":"send","id":$i,"to":"bob","text":"dm $i"}
for who b b2
$who < {"type":"message","room":"@bob","seq":$i,"text":"dm $i"}
end
a skip {"type":"ok","id":$i}
b nothing 7s
end
b > {"type":"send","room":"r","text":"hello"}
b < {"type":"message","room":"r","seq":1}
b2 > {"type":"history","id":2,"room":"@bob"}
b2 < {"type":"ok","id":2,"messages":"%[2]"}



=== TEST 8: a profile that another connection chose
It comes by the inbox, whatever room it is to be seen in.
--- chat
b connect /chat?user=bob
b2 connect /chat?user=bob other=b
a connect /chat?user=alice other=b
for who a b b2
$who < {"type":"welcome"}
end
for who a b2
$who > {"type":"join","id":1,"room":"r"}
$who < {"type":"ok","id":1}
end
b > {"type":"profile","id":2,"name":"Bobby","color":"#010203"}
b < {"type":"ok","id":2,"name":"Bobby","color":"#010203"}
for who a b2
$who < {"type":"profile","room":"r","user":"bob","name":"Bobby", \
    "color":"#010203"}
end
b2 > {"type":"send","room":"r","text":"hi"}
for who a b2
$who < {"type":"message","user":"bob","name":"Bobby","color":"#010203"}
end
b3 connect /chat?user=bob other=a
b3 < {"type":"welcome","name":"Bobby","color":"#010203"}
a nothing 50ms



=== TEST 9: a guest's goes with the guest
--- chat
g connect /guest
g < {"type":"welcome","user":"$guest","guest":true}
a connect /chat?user=alice other=g
a < {"type":"welcome"}
a > {"type":"send","id":1,"to":"$guest","text":"hello guest"}
a skip {"type":"ok","id":1}
g < {"type":"message","room":"@$guest","seq":1,"text":"hello guest"}
g2 connect /guest
g2 < {"type":"welcome","user":"$guest2"}
g reset
g2 reset
perl gone_soon a $guest
perl gone_soon a $guest2



=== TEST 10: many asleep at once, and reloads
--- chat
timeout 30s
for n 1..60
m$n connect /chat?user=m$n
m$n < {"type":"welcome"}
end
a connect /chat?user=alice
a < {"type":"welcome"}
for n 1..60
a > {"type":"send","id":$n,"to":"m$n","text":"for $n"}
a skip {"type":"ok","id":$n}
end
for n 1..60
m$n < {"type":"message","room":"@m$n","seq":1,"text":"for $n"}
end
nginx reload
for n 1..60
m$n skip closed 1012
end
nginx renewed
a connect /chat?user=alice
a < {"type":"welcome"}
for n 1..60
m$n connect /chat?user=m$n
m$n < {"type":"welcome"}
a > {"type":"send","id":$n,"to":"m$n","text":"again $n"}
a skip {"type":"ok","id":$n}
m$n < {"type":"message","room":"@m$n","seq":2,"text":"again $n"}
end
