#!/usr/bin/perl

# Copyright (C) the chat module's authors

# The client modules alone, against a server made of a few lines.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use ChatServer;
use Test::More;

my ($node, $why) = ChatServer::node();
plan(skip_all => $why) unless $node;

for my $script (qw(unit state)) {
    ChatServer::play({}, $node, "$ChatServer::top/t/clients/$script.mjs");
}

done_testing();
