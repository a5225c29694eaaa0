
# Tests for a full zone: old history goes first, then who wants more is told
# so; nothing else happens.

use lib 't/lib';
use Test::Nginx::Chat;

default_http_config('chat_zone chat:1m;');

default_config(<<'_EOC_');
    location /chat {
        chat                       chat;
        chat_user                  $arg_user;
        chat_history               messages=10000 age=1h;
        chat_rooms_per_connection  1000;
        chat_backlog               16k;
    }

    location /raw {
        chat           chat;
        chat_protocol  raw;
        chat_room      $arg_room;
        chat_history   messages=100 age=1h;
    }
_EOC_

play();


# joins rooms until there is no place for another one; each has a message

sub fill {
    my ($script, $who, $prefix) = @_;

    my $client = $script->client($who);

    for my $i (1 .. 1000) {
        $client->frame(op => 1, payload =>
            qq({"type":"join","id":"j$i","room":"$prefix$i"}));
        my $code = answer($script, $client, "j$i");
        return if $code eq 'zone_full';
        die "join $i: $code\n" if $code ne 'ok' && $code ne 'room_limit';
        return if $code eq 'room_limit';

        $client->frame(op => 1, payload =>
            qq({"type":"send","id":"s$i","room":"$prefix$i","text":"$i"}));
        $code = answer($script, $client, "s$i");
        return if $code eq 'zone_full';
        die "send $i: $code\n" if $code ne 'ok';
    }
}


sub answer {
    my ($script, $client, $id) = @_;

    for ( ;; ) {
        my $event = $script->get($client);
        my $o = Test::Nginx::Chat::Match::decode($event->{payload});
        next if !defined $o->{id} || $o->{id} ne $id;
        return $o->{type} eq 'ok' ? 'ok' : $o->{code};
    }
}


# connections that each fill rooms, until the zone says that it is full

sub fill_all {
    my ($script, $most) = @_;

    for my $n (1 .. $most) {
        my $name = "filler$n";
        $script->client_step($name, "connect /chat?user=$name");
        $script->client_step($name, 'skip {"type":"welcome"}');
        fill($script, $name, "f$n.");
        my $last = $script->client($name)->{last}{payload};
        return if $last =~ /zone_full/;
    }

    die "$most connections did not fill the zone\n";
}


sub drop_if {
    my ($script, $name) = @_;

    my $client = $script->{clients}{$name};
    $client->drop if $client;
}


# the server may still be busy with those who have left

sub joins_soon {
    my ($script, $who, $room) = @_;

    my $client = $script->client($who);

    for my $try (1 .. 100) {
        $client->frame(op => 1, payload =>
            qq({"type":"join","id":"t$try","room":"$room"}));
        my $code = answer($script, $client, "t$try");
        return if $code eq 'ok';
        Test::Nginx::Chat::Client->until(0.05, sub { 0 });
    }

    die "no room\n";
}


sub few_lines {
    my ($script) = @_;

    my $n = $script->{server}->count_log(qr/zone "chat".*(?:full|memory)/);

    die "$n lines\n" if !$n || $n > 4;
}

__DATA__

=== TEST 1: one busy room loses its oldest messages, and no more
--- chat
timeout 20s
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1,"epoch":"$epoch"}
for i 1..3000
a > {"type":"send","room":"lobby","text":"$("x" x 1000)"}
a < {"type":"message","seq":$i}
end
a > {"type":"history","id":2,"room":"lobby","after":0,"limit":1}
a < {"type":"ok","id":2,"messages":[{"seq":"$oldest"}],"more":true}
ok $oldest > 1000 && $oldest < 3000
a > {"type":"history","id":3,"room":"lobby","limit":50}
a < {"type":"ok","id":3,"epoch":"$epoch","messages":"%[50]"}
log no ~zone_full



=== TEST 2: the least recently used room's history goes first
--- chat
timeout 30s
a connect /chat?user=alice
a < {"type":"welcome"}
for room old used busy
a > {"type":"join","id":1,"room":"$room"}
a < {"type":"ok","id":1}
for i 1..50
a > {"type":"send","room":"$room","text":"$("x" x 1000)"}
a < {"type":"message","room":"$room","seq":$i}
end
end
a > {"type":"send","room":"used","text":"x"}
a < {"type":"message","room":"used","seq":51}
for i 51..850
a > {"type":"send","room":"busy","text":"$("x" x 1000)"}
a < {"type":"message","room":"busy","seq":$i}
end
a > {"type":"history","id":2,"room":"busy","limit":100}
a < {"type":"ok","id":2,"messages":"%[100]"}
a > {"type":"history","id":3,"room":"old","limit":100,"after":0}
a < {"type":"ok","id":3,"messages":"$left"}
ok length $left < 2500



=== TEST 3: rooms that cannot go fill the zone: zone_full, and life goes on
--- chat
timeout 60s
a connect /chat?user=alice
a < {"type":"welcome"}
a > {"type":"join","id":1,"room":"lobby"}
a < {"type":"ok","id":1}
perl fill_all 9
log ~zone "chat"
a > {"type":"ping","id":2}
a < {"type":"ok","id":2}
b connect /chat?user=bob
b < {"type":"welcome"}
b > {"type":"join","id":1,"room":"another"}
b < {"type":"error","id":1,"code":"zone_full"}
a > {"type":"leave","id":3,"room":"lobby"}
a < {"type":"ok","id":3}



=== TEST 4: and when they are gone there is room again
--- chat
timeout 60s
perl fill_all 9
for n 1..9
perl drop_if filler$n
end
b connect /chat?user=bob
b < {"type":"welcome"}
perl joins_soon b again
b > {"type":"send","id":2,"room":"again","text":"x"}
b skip {"type":"ok","id":2,"seq":1}



=== TEST 5: the log says it once, not once a message
--- chat
timeout 60s
perl fill_all 9
b connect /chat?user=bob
b < {"type":"welcome"}
for i 1..50
b > {"type":"join","id":$i,"room":"n$i"}
b < {"type":"error","id":$i,"code":"zone_full"}
end
perl few_lines



=== TEST 6: a raw room in a full zone
--- chat
timeout 60s
r connect /raw?room=raw
r text before
r recv text before
perl fill_all 9
r text behind
r recv text behind
