
# Tests for members: who is in a room, as users and not as connections.

use lib 't/lib';
use Test::Nginx::Chat;

arguments_config();

play();


# the users in the last answer's presence, sorted

sub users {
    my ($script, $who) = @_;

    my $answer = Test::Nginx::Chat::Match::decode(
                     $script->client($who)->{last}{payload});

    return join ' ', sort map { "$_->{user}:$_->{role}" }
                          @{$answer->{presence}};
}

__DATA__

=== TEST 1: one entry a user, with all that is known of him
--- chat
ann connect /chat?user=ann&name=Ann&role=owner
bob connect /chat?user=bob other=ann
b2 connect /chat?user=bob same=ann
for who ann bob b2
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1,"presence":"%absent"}
end
for who ann bob b2
$who > {"type":"members","id":2,"room":"lobby"}
$who < {"type":"ok","id":2,"room":"lobby","members":2,"presence":"%[2]"}
ok users($main::Script, "$who") eq 'ann:owner bob:member'
end
eve connect /chat?user=eve
eve < {"type":"welcome","color":"$color"}
eve > {"type":"members","id":3,"room":"lobby"}
eve < {"type":"error","id":3,"code":"not_joined"}
set now = int(Time::HiRes::time() * 1000)
eve > {"type":"join","id":4,"room":"empty","presence":true}
eve < {"type":"ok","id":4,"members":1,"presence":[{"user":"eve","name":"eve", \
    "color":"$color","role":"member","since":"$since"}]}
ok $since >= $now - 1000 && $since < $now + 5000
eve > {"type":"members","id":5,"room":"empty"}
eve < {"type":"ok","id":5,"members":1,"presence":[{"user":"eve","name":"eve", \
    "color":"$color","role":"member","since":"$since"}]}



=== TEST 2: who leaves, is kicked, or is gone is not there
--- config
    location /chat {
        chat              chat;
        chat_user         $arg_user;
        chat_user_role    $arg_role;
        chat_leave_delay  0;
        chat_presence     off;
        chat_rate         off;
    }
--- chat
ann connect /chat?user=ann&role=moderator
b1 connect /chat?user=bob other=ann
b2 connect /chat?user=bob same=ann
eve connect /chat?user=eve other=ann
for who ann b1 b2 eve
$who < {"type":"welcome"}
$who > {"type":"join","id":1,"room":"lobby"}
$who < {"type":"ok","id":1}
end
b1 > {"type":"leave","id":2,"room":"lobby"}
b1 < {"type":"ok","id":2}
ann > {"type":"members","id":3,"room":"lobby"}
ann < {"type":"ok","id":3,"members":3}
ok users($main::Script, 'ann') eq 'ann:moderator bob:member eve:member'
ann > {"type":"kick","id":4,"room":"lobby","user":"bob"}
ann skip {"type":"ok","id":4}
ann > {"type":"members","id":5,"room":"lobby"}
ann skip {"type":"ok","id":5,"members":2}
ok users($main::Script, 'ann') eq 'ann:moderator eve:member'
b2 skip {"type":"kicked"}

# what is known of who is not there does not make him a member
ann > {"type":"grant","id":6,"room":"lobby","user":"zoe","role":"owner"}
ann skip {"type":"error","id":6,"code":"forbidden"}
ann > {"type":"mute","id":7,"room":"lobby","user":"zoe"}
ann skip {"type":"ok","id":7}
ann > {"type":"members","id":8,"room":"lobby"}
ann skip {"type":"ok","id":8,"members":2,"presence":"%[2]"}



=== TEST 3: names that have to be escaped
--- config
    location /chat {
        chat            chat;
        chat_user       $arg_user;
        chat_user_name  '<"$arg_user"\>';
        chat_presence   off;
        chat_rate       off;
    }
--- chat
ann connect /chat?user=ann
ann < {"type":"welcome","name":"<\"ann\"\\>"}
ann > {"type":"join","id":1,"room":"lobby"}
ann < {"type":"ok","id":1}
ann > {"type":"members","id":2,"room":"lobby"}
ann < {"type":"ok","id":2,"presence":[{"user":"ann","name":"<\"ann\"\\>"}]}



=== TEST 4: very many are counted and not all listed
--- config
    location /chat {
        chat            chat;
        chat_user       $arg_user;
        chat_room       big;
        chat_presence   off;
        chat_rate       off;
    }
--- http_config
    chat_zone  chat:8m;
--- chat
timeout 60s
for n 1..1003
m$n connect /chat?user=m$n
m$n < {"type":"welcome"}
m$n < {"type":"joined","members":$n}
end
m1 > {"type":"members","id":1,"room":"big"}
m1 < {"type":"ok","id":1,"members":1003,"presence":"%[1000]"}
