
# Tests for the fields of replies and events: those that docs/protocol.md
# names, all of them and no others.

use lib 't/lib';
use Test::Nginx::Chat;

default_http_config('chat_zone chat:4m; chat_rate off;');

default_config(<<'_EOC_');
    location /chat {
        chat              chat;
        chat_user         $arg_user;
        chat_user_role    $arg_role;
        chat_presence     full;
        chat_leave_delay  0;
    }

    location /count {
        chat           chat;
        chat_user      $arg_user;
        chat_presence  count;
    }
_EOC_

our (%Seen, %Page);

our @Unseen = qw( gap bye expiring error );

# seen by authorize_limits.t and presence_lost.t
our %Elsewhere = map { $_ => 1 } 'join limits', 'members lost';

read_page();
play();


# {command or event}{field} = 1 if it is always there, 0 if it may be

sub read_page {
    open(my $file, '<', 'docs/protocol.md') or die "docs/protocol.md: $!\n";
    local $/;
    my $page = <$file>;

    for my $heading (qw( Commands Events )) {
        my ($table) = $page =~ /^## $heading\n.*?((?:^\|[^\n]*\n)+)/ms
            or die "docs/protocol.md has no \"$heading\"\n";

        for my $row (split /\n/, $table) {
            my ($name, $fields) = (split /\s*\|\s*/, $row)[1, 3];

            next if $name !~ s/^`(\w+)`$/$1/;

            $fields //= '';
            $fields =~ s/`room` or `to`/`room`?, `to`?/;

            $main::Page{$heading}{$name} = {
                map { /`(\w+)`(\?)?/ ? ($1 => $2 ? 0 : 1) : () }
                split /,/, $fields
            };
        }
    }
}


sub fields {
    my ($what, $expect, $object, @envelope) = @_;

    my %known = (%$expect, map { $_ => 1 } 'type', @envelope);

    for my $field (keys %$object) {
        die "$what has \"$field\"\n" if !exists $known{$field};
        $main::Seen{$what}{$field} = 1;
    }

    for my $field (keys %known) {
        die "$what has no \"$field\"\n"
            if $known{$field} && !exists $object->{$field};
    }

    $main::Seen{$what}{type} = 1;
}


# WHO says COMMAND, whose reply is looked at, and all events around it

sub says {
    my ($script, $who, $command, @rest) = @_;

    my $client = $script->client($who);
    my $json = join ' ', $command, @rest;
    my ($type) = $json =~ /^"(\w+)"/;

    $client->frame(op => 1, payload => qq({"id":1,"type":$json}));

    for ( ;; ) {
        my $o = Test::Nginx::Chat::Match::decode(
                    $script->get($client)->{payload});

        if ($o->{type} eq 'ok') {
            fields("the reply to $type", $main::Page{Commands}{$type}, $o,
                   'id');
            entries($o);
            return;
        }

        event($o);
    }
}


# all that comes to WHO up to an event of TYPE

sub hears {
    my ($script, $who, $type) = @_;

    for ( ;; ) {
        my $o = Test::Nginx::Chat::Match::decode(
                    $script->get($script->client($who))->{payload});

        event($o);

        return if $o->{type} eq $type;
    }
}


sub event {
    my ($o) = @_;

    my $expect = $main::Page{Events}{$o->{type}}
        or die "no event \"$o->{type}\"\n";

    die Test::Nginx::Chat::Match::encode($o) . "\n" if $o->{type} eq 'error';

    fields($o->{type}, $expect, $o);
}


sub entries {
    my ($reply) = @_;

    event($_) for @{$reply->{messages} || []};

    for my $member (@{$reply->{presence} || []}) {
        my $got = join ' ', sort keys %$member;

        die "a member has $got\n" if $got ne 'color name role since user';
    }

    for my $room (@{$reply->{rooms} || []}) {
        my $got = join ' ', sort keys %$room;

        die "a room has $got\n" if $got ne 'members room seq topic';
    }
}


# Has each event been seen, and each field that may be there?

sub all_seen {
    my $page = $main::Page{Events};

    for my $event (sort keys %$page) {
        next if grep { $_ eq $event } @main::Unseen;

        for my $field ('type', sort keys %{$page->{$event}}) {
            die "$event: \"$field\" was not seen\n"
                if !$main::Seen{$event}{$field}
                   && !$main::Elsewhere{"$event $field"};
        }
    }

    for my $command (sort keys %{$main::Page{Commands}}) {
        next if $command eq 'auth';

        for my $field ('type', sort keys %{$main::Page{Commands}{$command}}) {
            die "$command: \"$field\" was not seen\n"
                if !$main::Seen{"the reply to $command"}{$field}
                   && !$main::Elsewhere{"$command $field"};
        }
    }
}

__DATA__

=== TEST 1: every command's reply, and every event
--- chat
ann connect /chat?user=ann&role=owner
bob connect /chat?user=bob other=ann
for who ann bob
$who < {"type":"welcome"}
end
ann > {"type":"join","id":"epoch","room":"r"}
ann < {"type":"ok","id":"epoch","epoch":"$epoch"}
perl says ann "join","room":"r","presence":true,"epoch":"$epoch","seq":0
perl says bob "join","room":"r"
perl says bob "send","room":"r","text":"one","data":1,"nonce":"n","reply_to":1
perl says bob "send","room":"r","text":"one","nonce":"n"
perl says bob "send","room":"r","text":"two"
perl says bob "edit","room":"r","seq":1,"text":"x","data":2
perl says bob "delete","room":"r","seq":2
perl says bob "react","room":"r","seq":1,"emoji":"+"
perl says bob "typing","room":"r"
perl says bob "typing","to":"ann"
perl says bob "send","to":"ann","text":"direct"
perl says bob "profile","name":"Bob"
perl says ann "read","room":"r","seq":1
perl says ann "set","room":"r","topic":"t","slow":0,"locked":false,"members_only":false
perl says ann "grant","room":"r","user":"bob","role":"member"
perl says ann "mute","room":"r","user":"bob","reason":"x"
perl says ann "unmute","room":"r","user":"bob","reason":"x"
perl says ann "kick","room":"r","user":"bob","reason":"x","purge":true
perl hears bob kicked
perl says bob "join","room":"r"
perl says ann "ban","room":"r","user":"bob","reason":"x","purge":true
perl says ann "unban","room":"r","user":"bob","reason":"x"
perl hears bob banned
perl says bob "join","room":"r"
perl says bob "send","room":"r","text":"three"
perl says bob "edit","room":"r","seq":11,"text":"four"
perl says bob "history","room":"r"
perl says bob "history","room":"@bob"
perl says bob "members","room":"r"
perl says bob "rooms"
perl says bob "leave","room":"r"
perl says bob "ping"
perl hears ann left
eve connect /count?user=eve
eve < {"type":"welcome"}
perl says eve "join","room":"c"
fay connect /count?user=fay other=eve
fay < {"type":"welcome"}
fay > {"type":"join","room":"c"}
perl hears eve members
perl all_seen
