#!/usr/bin/perl

# Copyright (C) the chat module's authors

# docs/protocol.md and the source say the same, in both directions: the
# commands with their fields, the fields with their kinds and bounds, the
# rights, the events and the error codes.

use strict;
use warnings;

use Cwd ();
use FindBin;
use Test::More;

my $top = Cwd::realpath("$FindBin::Bin/..");

my $page = slurp("$top/docs/protocol.md");
my $proto = slurp("$top/src/lib/chat_proto.c");
my $header = slurp("$top/src/lib/chat_proto.h");
my $rights = slurp("$top/src/chat/ngx_http_chat_rights.c");

my %number = defines($header . $proto);
my @fields = fields($proto);
my %rule = rules($proto);

cmp_ok(scalar(@fields), '>', 20, 'the table of fields can be read');
cmp_ok(scalar(keys %rule), '>', 20, 'the table of commands can be read');

compare('fields', [page_fields()], [source_fields()]);
compare('commands', [page_commands()], [source_commands()]);
compare('rights', [page_rights()], [source_rights()]);
compare('events', [sort(page_column('Events', 0))], [source_events()]);
compare('error codes', [page_column('Errors', 0)], [source_errors()]);
commands_have_sections();

done_testing();


# Line by line, so that what differs is seen at once.

sub compare {
    my ($what, $got, $want) = @_;

    cmp_ok(scalar(@$want), '>', 10, "there are $what in the source");

    my %got = map { $_ => 1 } @$got;
    my %want = map { $_ => 1 } @$want;

    ok($got{$_}, "$what: the page has: $_") for @$want;
    ok($want{$_}, "$what: the source has: $_") for @$got;
}


# The rows of the table under a heading, as lists of cells; number: which of
# the tables there.

sub page_rows {
    my ($heading, $number) = @_;

    my ($text) = $page =~ /^##+ \Q$heading\E\n(.*?)(?=^##|\z)/ms
        or die "docs/protocol.md has no \"$heading\"\n";

    my @tables = $text =~ /((?:^\|.*\n)+)/mg;

    my @rows = map { [map { s/^\s+|\s+$//gr } split /(?<!\\)\|/, $_, -1] }
               grep { !/^\|[-|\s]+$/ } split /\n/, $tables[$number || 0];
    shift @rows;

    return map { [@$_[1 .. $#$_ - 1]] } @rows;
}


sub page_column {
    my ($heading, $column) = @_;

    return map { $_->[$column] =~ /^`(\w+)`$/ ? $1 : $_->[$column] }
           page_rows($heading);
}


# "limit: integer, 1 to `chat_history_page`"

sub page_fields {
    return map { my ($name, $kind, $bounds) = @$_;
                 $name =~ s/`//g;
                 "$name: $kind" . (length $bounds ? ", $bounds" : '') }
           page_rows('Fields');
}


sub source_fields {
    my %kind = (NAME => 'name', STRING => 'string', TEXT => 'text',
                COLOR => 'color', ROLE => 'role', UINT => 'integer',
                BOOL => 'bool', ANY => 'any');
    my %bounded = map { $_ => 1 } qw(NAME STRING TEXT UINT);
    my @rows;

    for my $field (@fields) {
        my ($id, $name, $kind, $min, $max) = @$field;

        next if $name eq '' || $id =~ /^(?:ID|TYPE)$/;

        $name .= ' (of join)' if $id eq 'SEEN';
        push @rows, "$name: $kind{$kind}"
                    . ($bounded{$kind} ? ", $min to " . bound($max) : '');
    }

    return @rows;
}


sub bound {
    my ($max) = @_;

    return '`chat_history_page`' if $max eq 'CHAT_PAGE';
    return '`limits.message_size`' if $max eq 'UINT64_MAX';

    my $n = $number{$max} // $max;

    return $n eq '9007199254740991' ? '2^53-1' : $n;
}


# "edit room seq text data", where "?" marks what may be left out

sub page_commands {
    return map { my ($name, $fields) = @$_;
                 join ' ', $name =~ s/`//gr,
                           map { s/`//gr } $fields =~ /`\w+`\??/g }
           page_rows('Commands');
}


sub source_commands {
    my %name = map { $_->[0] => $_->[1] } @fields;
    my %bit = map { $_->[0] => $_->[5] } @fields;
    my @rows;

    for my $command (sort keys %rule) {
        my $rule = $rule{$command};

        push @rows, join ' ', $command,
                    map { $name{$_} . ($rule->{needs}{$bit{$_}} ? '' : '?') }
                    @{$rule->{fields}};
    }

    return @rows;
}


# "ban: moderator, 0 1 1 0 0 0"

sub page_rights {
    return map { my ($name, $least, @columns) = @$_;
                 $name =~ s/`//g;
                 "$name: $least, "
                 . join(' ', map { $_ eq 'yes' ? 1 : $_ eq '' ? 0 : $_ }
                             @columns) }
           page_rows('Rights');
}


sub source_rights {
    my @rows;

    while ($rights =~ /\[CHAT_CMD_(\w+)\]\s*=\s*\{\s*(\w+),([^}]*)\}/g) {
        push @rows, lc("$1: $2, ") . join(' ', $3 =~ /(\d+)/g);
    }

    return @rows;
}


# What is written as a literal, or goes to a function that writes it; what is
# no event is a reply.

sub source_events {
    my %events;

    for my $file (glob("$top/src/chat/*.c"), glob("$top/src/worker/*.c")) {
        my $text = slurp($file);

        $events{$_} = 1 for $text =~ /\\"type\\":\\"(\w+)/g,
                            $text =~ /presence_(?:texts|who)\([^;]*?"(\w+)"/g,
                            $text =~ /\{ "(\w+)",\s*NGX_HTTP_CHAT_CHANGE_/g;
    }

    delete @events{qw(ok welcome)};

    return sort keys %events;
}


sub source_errors {
    return grep { $_ ne 'none' }
           $proto =~ /\[CHAT_ERR_\w+\] = "(\w+)"/g;
}


sub commands_have_sections {
    my %in = (edit => 'edit and delete', delete => 'edit and delete',
              map { $_ => 'Moderation' } qw(kick mute unmute ban unban));

    for my $command (sort keys %rule) {
        my $heading = $in{$command} || $command;

        like($page, qr/^### \Q$heading\E$/m, "$command has its section");
    }
}


# [id, name, kind, min, max, bit], in the order of the enum

sub fields {
    my ($source) = @_;

    my ($enum) = $source =~ /(CHAT_FIELD_END = 0,.*?)\} chat_field_e/s;
    my @ids = $enum =~ /CHAT_FIELD_(\w+)/g;
    my @rows;

    while ($source =~ /\{\ chat_name\("(\w*)"\),\s*(\w+),
                       \s*CHAT_KIND_(\w+),\s*(\w+),\s*(\w+),/xg)
    {
        push @rows, [shift @ids, $1, $3, $4, $5, $2];
    }

    is(scalar(@ids), 0, 'each field has a row');

    return @rows;
}


sub rules {
    my ($source) = @_;

    my %rules;

    while ($source =~ /\[CHAT_CMD_\w+\]\ =\s*
                       \{\ \.name\ =\ "(\w+)"(.*?)\}\s*(?:,\s*\n\n|\n\};)/sxg)
    {
        my ($name, $text) = ($1, $2);
        my ($list) = $text =~ /\.fields = \{(.*?)\}/s;
        my %needs;

        for my $set ($text =~ /\.(?:need|one|any) = ([^,}]*)/g) {
            $needs{$_} = 1 for $set =~ /(CHAT_F_\w+)/g;
        }

        $rules{$name} = { fields => [($list // '') =~ /CHAT_FIELD_(\w+)/g],
                          needs => \%needs };
    }

    return %rules;
}


sub defines {
    my ($source) = @_;

    return map { s/ULL$//r } $source =~ /^#define (CHAT_\w+) +(\d+(?:ULL)?)\b/mg;
}


sub slurp {
    my ($name) = @_;

    open(my $file, '<:encoding(UTF-8)', $name) or die "$name: $!\n";
    local $/;

    return <$file>;
}
