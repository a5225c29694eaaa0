#!/usr/bin/perl

# Copyright (C) the chat module's authors

# docs/security.md: each line of its tables is there, and names tests that
# there are, or says why there is none; and what is easiest looked for in the
# source: the page never makes markup of text.

use strict;
use warnings;

use Cwd ();
use FindBin;
use Test::More;

my $top = Cwd::realpath("$FindBin::Bin/..");
my $page = slurp("$top/docs/security.md");
my @rows = $page =~ /^\| (\d+ \| .*) \|$/mg;

is_deeply([map { /^(\d+)/ } @rows], [1 .. 54], 'each line is there, once');

for my $row (@rows) {
    my ($n, $attack, $holds, $tests) = split / \| /, $row;

    if ($tests eq "\xe2\x80\x93") {
        like($holds, qr/^\xe2\x80\x93 \S/, "$n: why there is no test");
        next;
    }

    for my $test (split /<br>/, $tests) {
        my ($file, $title) = $test =~ /^`(t\/[\w\/]+\.[tc])`: (\S.*)$/;

        ok(defined $file && title($file, $title), "$n: $test");
    }
}

# a harness that finds everything would find this

ok(!title('t/ws_frames.t', 'a frame with two masks'), 'no such test');

my @bad = map { "$_->[0]:$_->[1]" } grep { $_->[2] =~
    /\b(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\()|
      \bnew\ Function\b|srcdoc|javascript:/x } page_lines();

is("@bad", '', 'the page never makes markup of text');
cmp_ok(scalar(page_lines()), '>', 500, 'its scripts were read');

done_testing();


# A block of a conversation, a unit test, or what a test or its script says

sub title {
    my ($file, $title) = @_;

    my $text = slurp("$top/$file");

    return $text =~ /^=== TEST \d+: \Q$title\E$/m
        if $file =~ /\.t$/ && $text =~ /^=== TEST/m;

    return $text =~ /test_run\("\Q$title\E"/ if $file =~ /\.c$/;

    if ($text =~ m{t/clients/(\w+\.mjs)}) {
        $text .= slurp("$top/t/clients/$1");
    }

    return $text =~ /['`]\Q$title\E/;
}


sub page_lines {
    my @lines;

    for my $file (glob "$top/conf/examples/html/*.js") {
        my $n = 0;

        push @lines, map { [$file, ++$n, $_] } split /\n/, slurp($file);
    }

    return @lines;
}


sub slurp {
    my ($name) = @_;

    open(my $file, '<', $name) or return '';
    local $/;

    return scalar <$file>;
}
