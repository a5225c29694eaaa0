
# Tests for guests: what the configuration knows of them, and names that
# imitate another user's.

use lib 't/lib';
use Test::Nginx::Chat;

default_http_config(<<'_EOC_');
    chat_zone   chat:4m;
    log_format  door '$uri $chat_user $chat_guest';
    log_format  ends '$chat_user_name';
    chat_log    logs/ends.log ends;
    map $chat_guest $door_room {
        1        lounge;
        default  office;
    }
    map $chat_guest $by_rule {
        1        guest;
        default  user;
    }
_EOC_

default_config(<<'_EOC_');
    access_log logs/door.log door;

    location /reject {
        chat             chat;
        chat_user        $arg_user;
        chat_user_name   $arg_name;
        chat_imitation   reject;
    }

    location /mark {
        chat             chat;
        chat_user        $arg_user;
        chat_user_name   $arg_name;
        chat_imitation   mark;
    }

    location /off {
        chat             chat;
        chat_user        $arg_user;
        chat_user_name   $arg_name;
    }

    location /rules {
        chat                  chat;
        chat_user             $arg_user;
        chat_room             $door_room;
        chat_connections      1 key=$by_rule$arg_n;
    }
_EOC_

play();


# By and by he can be called so.

sub called {
    my ($script, $who, $name) = @_;

    my $client = $script->client($who);

    for my $try (1 .. 60) {
        $client->frame(op => 1, payload =>
            qq({"type":"profile","id":"p$try","name":"$name"}));

        my $event = $script->get($client);
        my $o = Test::Nginx::Chat::Match::decode($event->{payload});

        return if $o->{type} eq 'ok';
        Test::Nginx::Chat::Client->until(0.1, sub { 0 });
    }

    die "nobody else may be called $name\n";
}

__DATA__

=== TEST 1: guests in rules and logs
--- chat
a connect /rules?user=alice
a < {"type":"welcome","user":"alice","guest":false}
a < {"type":"joined","room":"office"}
g connect /rules
g < {"type":"welcome","guest":true}
g < {"type":"joined","room":"lounge"}
log in door.log 1 ~^/rules alice -$
log in door.log 1 ~^/rules guest-[0-9a-f]{6} 1$
h refused 429 /rules
h refused 429 /rules?user=bob



=== TEST 2: a guest who comes with another's name
--- chat
a connect /reject?user=alice&name=Alice
a < {"type":"welcome","name":"Alice"}
b connect /reject?user=bob
b < {"type":"welcome","name":"bob"}
g connect /reject?name=ALICE
g < {"type":"welcome","user":"$user1","name":"$name1"}
ok $user1 eq $name1
g connect /reject?name=B0B
g < {"type":"welcome","user":"$user2","name":"$name2"}
ok $user2 eq $name2
g connect /reject?name=Carol
g < {"type":"welcome","name":"Carol"}
h connect /reject?name=carol
h < {"type":"welcome","user":"$user3","name":"$name3"}
ok $user3 eq $name3
m connect /mark?name=Al.ice
m < {"type":"welcome","user":"$user4","name":"$name4"}
ok $name4 eq "Al.ice ($user4)"
o connect /off?name=Alice
o < {"type":"welcome","name":"Alice"}



=== TEST 3: a user whom the configuration names is called so, whoever came first
--- chat
g connect /reject?name=Alice
g < {"type":"welcome","guest":true,"name":"Alice"}
a connect /reject?user=alice&name=Alice
a < {"type":"welcome","guest":false,"name":"Alice"}
b connect /reject?user=bob&name=Alice
b < {"type":"welcome","name":"Alice"}



=== TEST 4: by profile
--- chat
a connect /reject?user=alice&name=Alice
a < {"type":"welcome"}
b connect /reject?user=bob other=a
b < {"type":"welcome"}
b > {"type":"profile","id":1,"name":"Аlice"}
b < {"type":"error","id":1,"code":"rejected"}
b > {"type":"profile","id":2,"name":"A1ice"}
b < {"type":"error","id":2,"code":"rejected"}
b > {"type":"profile","id":3,"name":"Al​ice"}
b < {"type":"error","id":3,"code":"rejected"}
b > {"type":"profile","id":4,"name":"Álicè"}
b < {"type":"error","id":4,"code":"rejected"}
b > {"type":"profile","id":5,"name":"Alicia"}
b < {"type":"ok","id":5,"name":"Alicia"}
b > {"type":"profile","id":6,"color":"#112233"}
b < {"type":"ok","id":6,"name":"Alicia","color":"#112233"}
b > {"type":"profile","id":7,"name":"BOB"}
b < {"type":"ok","id":7,"name":"BOB"}
a > {"type":"profile","id":8,"name":"alice"}
a < {"type":"ok","id":8,"name":"alice"}
a > {"type":"profile","id":9,"name":"Bob"}
a < {"type":"error","id":9,"code":"rejected"}
a > {"type":"profile","id":10,"name":"Alicia"}
a < {"type":"ok","id":10,"name":"Alicia"}
b > {"type":"profile","id":11,"name":"alice"}
b < {"type":"error","id":11,"code":"rejected"}



=== TEST 5: by profile, marked
--- chat
a connect /mark?user=alice&name=Alice
a < {"type":"welcome"}
b connect /mark?user=bob other=a
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"r"}
b < {"type":"ok","id":1}
b > {"type":"profile","id":2,"name":"ALICE"}
b < {"type":"ok","id":2,"name":"ALICE (bob)"}
b < {"type":"profile","user":"bob","name":"ALICE (bob)"}
b > {"type":"send","id":3,"room":"r","text":"x"}
b < {"type":"ok","id":3}
b < {"type":"message","name":"ALICE (bob)"}
c connect /mark?user=$("c" x 61)
c < {"type":"welcome"}
c > {"type":"profile","id":1,"name":"Alice"}
c < {"type":"ok","id":1,"name":"$("c" x 61)"}
d connect /mark?user=$("d" x 58)
d < {"type":"welcome"}
d > {"type":"profile","id":1,"name":"ÁÁlice"}
d < {"type":"ok","id":1,"name":"ÁÁlice"}
d > {"type":"profile","id":2,"name":"AlÍce"}
d < {"type":"ok","id":2,"name":"Al ($("d" x 58))"}



=== TEST 6: a name is free when its user has gone, on all of his connections
--- chat
a connect /reject?user=alice&name=Wonder
a < {"type":"welcome"}
b connect /reject?user=alice&name=Wonder other=a
b < {"type":"welcome"}
c connect /reject?user=carol
c < {"type":"welcome"}
a drop
log in ends.log ~^Wonder$
c > {"type":"profile","id":1,"name":"Wonder"}
c < {"type":"error","id":1,"code":"rejected"}
b > {"type":"profile","id":2,"name":"Mad Hatter"}
b < {"type":"ok","id":2}
c > {"type":"profile","id":3,"name":"Wonder"}
c < {"type":"ok","id":3,"name":"Wonder"}
c > {"type":"profile","id":4,"name":"madhatter"}
c < {"type":"error","id":4,"code":"rejected"}
b close 1000
b closed 1000
log in ends.log ~^Mad Hatter$
d connect /reject?user=dave
d < {"type":"welcome"}
d > {"type":"profile","id":5,"name":"mad hatter"}
d < {"type":"ok","id":5}



=== TEST 7: all of a user's connections hold the name that one of them chose
--- chat
a connect /reject?user=alice&name=Wonder
a < {"type":"welcome"}
b connect /reject?user=alice&name=Wonder other=a
b < {"type":"welcome"}
for who a b
$who > {"type":"join","id":1,"room":"r"}
$who skip {"type":"ok","id":1}
end
b > {"type":"profile","id":2,"name":"Mad Hatter"}
a skip {"type":"profile","user":"alice","name":"Mad Hatter"}
b close 1000
b skip closed 1000
log in ends.log ~^Mad Hatter$
c connect /reject?user=carol
c < {"type":"welcome"}
c > {"type":"profile","id":3,"name":"mad hatter"}
c < {"type":"error","id":3,"code":"rejected"}



=== TEST 8: somebody who has been here keeps his identity to himself
--- chat
a connect /reject?user=alice&name=Wonder
a < {"type":"welcome"}
a > {"type":"profile","id":1,"color":"#112233"}
a < {"type":"ok","id":1}
a close 1000
a closed 1000
log in ends.log ~^Wonder$
b connect /reject?user=bob
b < {"type":"welcome"}
b > {"type":"profile","id":1,"name":"alice"}
b < {"type":"error","id":1,"code":"rejected"}
b > {"type":"profile","id":2,"name":"ALICE"}
b < {"type":"error","id":2,"code":"rejected"}
g connect /reject?name=Alice
g < {"type":"welcome","user":"$user","name":"$name"}
ok $user eq $name



=== TEST 9: a killed worker's names are free again
--- faults
worker process \d+ exited on signal 9
--- chat
timeout 20s
a connect /reject?user=alice&name=Wonder
a < {"type":"welcome"}
b connect /reject?user=bob other=a
b < {"type":"welcome"}
b > {"type":"profile","id":1,"name":"wonder"}
b < {"type":"error","id":1,"code":"rejected"}
nginx kill a
perl called b wonder
c connect /reject?user=carol
c < {"type":"welcome"}
c > {"type":"profile","id":1,"name":"Wonder"}
c < {"type":"error","id":1,"code":"rejected"}



=== TEST 10: mistakes
--- config
    location /chat { chat chat; }
--- chat
conf good http: chat_imitation mark;
conf bad chat: chat_imitation on; => ~invalid value "on" in "chat_imitation" directive, it must be "off", "mark" or "reject"
conf bad chat: chat_imitation off; chat_imitation off; => ~"chat_imitation" directive is duplicate
