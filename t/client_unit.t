#!/usr/bin/perl

# Copyright (C) the chat module's authors

# The client module alone, against a server made of a few lines.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use ChatServer;
use Test::More;

my ($node, $why) = ChatServer::node();
plan(skip_all => $why) unless $node;

ChatServer::play({}, $node, "$ChatServer::top/t/clients/unit.mjs");

done_testing();
