
# Tests for users with several connections: whatever one of them does, they
# are one user to everybody, and to each other.

use lib 't/lib';
use Test::Nginx::Chat;

default_http_config('chat_zone chat:4m; chat_rate off;');

default_config(<<'_EOC_');
    location /chat {
        chat              chat;
        chat_user         $arg_user;
        chat_user_name    $arg_name;
        chat_user_role    $arg_role;
        chat_presence     full;
        chat_leave_delay  0;
    }
_EOC_

play();

__DATA__

=== TEST 1: what one of them may change, all of them may
--- chat
b1 connect /chat?user=bob
b2 connect /chat?user=bob other=b1
eve connect /chat?user=eve same=b1
for who b1 b2 eve
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
b1 skip {"type":"joined","user":"eve","members":2}
b2 skip {"type":"joined","user":"eve","members":2}
b1 > {"type":"send","id":2,"room":"lobby","text":"one"}
b1 skip {"type":"ok","id":2,"seq":1}
b2 < {"type":"message","seq":1,"user":"bob"}
b2 > {"type":"edit","id":3,"room":"lobby","seq":1,"text":"two"}
b2 skip {"type":"ok","id":3,"seq":1}
b1 skip {"type":"edited","seq":2,"target":1,"user":"bob","text":"two"}
b1 > {"type":"delete","id":4,"room":"lobby","seq":1}
b1 skip {"type":"ok","id":4,"seq":1}
for who b2 eve
$who skip {"type":"deleted","seq":3,"target":1,"user":"bob"}
end

# also by one that is not in the room
b3 connect /chat?user=bob other=b1
b3 < {"type":"welcome"}
b1 > {"type":"send","id":5,"room":"lobby","text":"three"}
b1 skip {"type":"ok","id":5,"seq":4}
b3 > {"type":"edit","id":6,"room":"lobby","seq":4,"text":"four"}
b3 < {"type":"ok","id":6,"seq":4}
eve skip {"type":"edited","seq":5,"target":4,"user":"bob"}
b3 > {"type":"send","id":7,"room":"lobby","text":"x"}
b3 < {"type":"error","id":7,"code":"not_joined"}



=== TEST 2: typing is told of each of them, and ends for each of them
--- chat
b1 connect /chat?user=bob
b2 connect /chat?user=bob other=b1
eve connect /chat?user=eve
for who b1 b2 eve
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
b1 > {"type":"typing","id":2,"room":"lobby"}
b1 skip {"type":"ok","id":2}
eve < {"type":"typing","user":"bob","on":true}
b2 > {"type":"typing","id":2,"room":"lobby"}
b2 skip {"type":"ok","id":2}
eve < {"type":"typing","user":"bob","on":true}
b1 > {"type":"leave","id":3,"room":"lobby"}
b1 skip {"type":"ok","id":3}
eve < {"type":"typing","user":"bob","on":false}
b2 > {"type":"send","id":4,"room":"lobby","text":"x"}
b2 skip {"type":"ok","id":4}
eve < {"type":"message","user":"bob"}
eve < {"type":"typing","user":"bob","on":false}
b2 drop
eve < {"type":"left","user":"bob","members":1}



=== TEST 3: leaving with one of them is leaving with that one
--- chat
b1 connect /chat?user=bob
b2 connect /chat?user=bob other=b1
b3 connect /chat?user=bob same=b1
eve connect /chat?user=eve
for who eve b1 b2 b3
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
eve < {"type":"joined","user":"bob","members":2}
b1 > {"type":"leave","id":2,"room":"lobby"}
b1 < {"type":"ok","id":2,"room":"lobby"}
b3 drop
eve > {"type":"members","id":3,"room":"lobby"}
eve < {"type":"ok","id":3,"members":2,"presence":"%[2]"}
eve > {"type":"send","id":4,"room":"lobby","text":"for whom is in"}
eve skip {"type":"ok","id":4}
b2 < {"type":"message","seq":1}
b1 > {"type":"ping","id":5}
b1 < {"type":"ok","id":5}
b2 > {"type":"leave","id":6,"room":"lobby"}
b2 < {"type":"ok","id":6}
eve skip {"type":"left","user":"bob","members":1}



=== TEST 4: kick, mute, ban and grant are for all of them
--- chat
ann connect /chat?user=ann&role=owner
b1 connect /chat?user=bob other=ann
b2 connect /chat?user=bob same=ann
for who ann b1 b2
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
ann > {"type":"grant","id":2,"room":"lobby","user":"bob","role":"moderator"}
ann skip {"type":"ok","id":2}
for who b1 b2
$who skip {"type":"granted","user":"bob","role":"moderator","by":"ann"}
$who > {"type":"set","id":3,"room":"lobby","topic":"by $who"}
$who skip {"type":"ok","id":3,"topic":"by $who"}
end
ann > {"type":"grant","id":4,"room":"lobby","user":"bob","role":"member"}
ann skip {"type":"ok","id":4}
for who b1 b2
$who > {"type":"set","id":5,"room":"lobby","topic":"x"}
$who skip {"type":"error","id":5,"code":"forbidden"}
end
ann > {"type":"mute","id":6,"room":"lobby","user":"bob"}
ann skip {"type":"ok","id":6}
for who b1 b2
$who > {"type":"send","id":7,"room":"lobby","text":"x"}
$who skip {"type":"error","id":7,"code":"muted","until":null}
end
ann > {"type":"ban","id":8,"room":"lobby","user":"bob"}
ann skip {"type":"ok","id":8}
for who b1 b2
$who skip {"type":"banned","user":"bob"}
$who > {"type":"join","id":9,"room":"lobby"}
$who < {"type":"error","id":9,"code":"banned","until":null}
end



=== TEST 5: a direct message, its reply and its typing are for all of them
--- chat
a1 connect /chat?user=ann
a2 connect /chat?user=ann other=a1
b1 connect /chat?user=bob
b2 connect /chat?user=bob other=b1
for who a1 a2 b1 b2
$who < {"type":"welcome"}
end
a1 > {"type":"send","id":1,"to":"bob","text":"one","nonce":"n"}
a1 skip {"type":"ok","id":1,"room":"@ann","seq":1}
a2 < {"type":"message","room":"@ann","seq":1,"to":"bob"}
for who b1 b2
$who < {"type":"message","room":"@bob","seq":1,"to":"bob"}
end

# sent again by the user's other connection, it is the same one
a2 > {"type":"send","id":2,"to":"bob","text":"one","nonce":"n"}
a2 < {"type":"ok","id":2,"room":"@ann","seq":1,"duplicate":true}
b2 > {"type":"send","id":3,"to":"ann","text":"two","reply_to":1}
b2 skip {"type":"ok","id":3,"room":"@bob","seq":2}
b1 < {"type":"message","room":"@bob","seq":2,"to":"ann","reply_to":1}
a2 < {"type":"message","room":"@ann","seq":2,"to":"ann"}
a1 skip {"type":"message","room":"@ann","seq":2,"to":"ann"}



=== TEST 6: since when somebody is there is since the first of them came
--- chat
b1 connect /chat?user=bob
b1 < {"type":"welcome","ts":"$before"}
b1 > {"type":"join","id":1,"room":"lobby","presence":true}
b1 < {"type":"ok","id":1,"presence":[{"user":"bob","since":"$since"}]}
ok $since >= $before
b1 nothing 20ms
b2 connect /chat?user=bob other=b1
b2 < {"type":"welcome","ts":"$later"}
ok $later > $since
b2 > {"type":"join","id":1,"room":"lobby","presence":true}
b2 < {"type":"ok","id":1,"presence":[{"user":"bob","since":"$since"}]}
b1 drop
b2 > {"type":"members","id":2,"room":"lobby"}
b2 < {"type":"ok","id":2,"presence":[{"user":"bob","since":"$since"}]}

# who was away for good is there anew
eve connect /chat?user=eve
eve < {"type":"welcome"}
eve > {"type":"join","id":1,"room":"lobby"}
eve < {"type":"ok","id":1}
b2 drop
eve < {"type":"left","user":"bob","members":1,"ts":"$left"}
b3 connect /chat?user=bob
b3 < {"type":"welcome"}
b3 > {"type":"join","id":1,"room":"lobby"}
b3 < {"type":"ok","id":1}
eve < {"type":"joined","user":"bob","members":2,"ts":"$joined"}
ok $joined >= $left
b3 > {"type":"members","id":2,"room":"lobby"}
b3 < {"type":"ok","id":2,"members":2,"presence":"%[2]"}
ok 1 == grep { $_->{user} eq 'bob' && $_->{since} >= $left } \
    @{Test::Nginx::Chat::Match::decode($main::Script->client("b3")->{last}{payload})->{presence}}
