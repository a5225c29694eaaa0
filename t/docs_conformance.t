#!/usr/bin/perl

# Copyright (C) the chat module's authors

# docs/conformance.md names tests that exist, has a row for each command, event
# and error code of docs/protocol.md, and each code is provoked where it says.

use strict;
use warnings;

use Cwd ();
use FindBin;
use Test::More;

my $top = Cwd::realpath("$FindBin::Bin/..");
my $page = slurp("$top/docs/conformance.md");
my $protocol = slurp("$top/docs/protocol.md");

# not provoked: the server has no fault

my %without = map { $_ => 1 } qw(internal);

my %blocks;

tests_exist();
rows_are_there($_) for qw(Commands Events Errors);
words_are_tested($_) for qw(Commands Events Errors);

done_testing();


sub tests_exist {
    my @rows = $page =~ /^\|\ (?!promise|command|event|code|-).*\|\ *(.*?)\ *\|$/mgx;

    cmp_ok(scalar(@rows), '>', 60, 'the rows can be read');

    for my $row (@rows) {
        for my $item (split /, /, $row) {
            my ($file, @numbers) = numbers($item);
            my %have = map { $_ => 1 } keys %{blocks($file)};
            my @missing = grep { !$have{$_} } @numbers;

            ok(@numbers && !@missing, "$item")
                or diag("t/$file.t has no block @missing");
        }
    }
}


sub rows_are_there {
    my ($heading) = @_;

    my @want = words($protocol, $heading);
    my %got = map { $_ => 1 } words($page, $heading);

    cmp_ok(scalar(@want), '>', 10, "\"$heading\" can be read");

    ok(delete $got{$_}, "$heading: $_ has a row") for @want;
    is_deeply([keys %got], [], "$heading: and nothing else has one");
}


# One of the blocks in its row speaks of it.

sub words_are_tested {
    my ($heading) = @_;

    my $said = $heading eq 'Errors' ? '"code":"[^"]*' : '';

    for my $row (section($page, $heading) =~ /^(\| `.*)/mg) {
        my ($word, $tests) = $row =~ /^\| `(\w+)` \| ?(.*?) ?\|$/;
        my $found = 0;

        next if $heading eq 'Errors' && $without{$word};

        for my $item (split /, /, $tests) {
            my ($file, @numbers) = numbers($item);

            $found ||= grep { (blocks($file)->{$_} // '')
                              =~ /$said\b\Q$word\E\b/ } @numbers;
        }

        ok($found, "$heading: $word is in the tests of its row");
    }
}


# "room_join 1-3 7" is a file and numbers

sub numbers {
    my ($item) = @_;

    my ($file, @parts) = split ' ', $item;

    return ($file, map { /^(\d+)-(\d+)$/ ? ($1 .. $2) : $_ } @parts);
}


sub blocks {
    my ($file) = @_;

    return $blocks{$file} ||= do {
        my $text = -f "$top/t/$file.t" ? slurp("$top/t/$file.t") : '';

        +{ $text =~ /^=== TEST (\d+):(.*?)(?=^=== TEST|\z)/msg };
    };
}


sub section {
    my ($text, $heading) = @_;

    my ($section) = $text =~ /^## \Q$heading\E\n(.*?)(?=^##+ |\z)/ms
        or die "there is no \"$heading\"\n";

    return $section;
}


sub words {
    my ($text, $heading) = @_;

    return section($text, $heading) =~ /^\| `(\w+)` \|/mg;
}


sub slurp {
    my ($name) = @_;

    open(my $file, '<:encoding(UTF-8)', $name) or die "$name: $!\n";
    local $/;

    return <$file>;
}
