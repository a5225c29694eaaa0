#!/usr/bin/perl

# Copyright (C) the chat module's authors

# Node as a client: the npm package "ws", and with it the client module, over
# two workers that are reloaded and killed.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use ChatServer;
use Test::More;

my ($node, $why) = ChatServer::node('ws');
plan(skip_all => $why) unless $node;

my $config = <<'END';
worker_processes 2;

events {
}

http {
    chat_zone chat:32m;
    chat_history messages=1000 age=1h;
    chat_close_delay 500ms;
    chat_rate off;
    chat_presence off;

    server {
        listen 8080;

        location = /raw {
            chat chat;
            chat_protocol raw;
            chat_room raw-$arg_room;
            chat_history off;
            chat_message_size 2m;
        }

        location = /chat {
            chat chat;
            chat_user $arg_user;
        }

        location = /quick {
            chat chat;
            chat_user $arg_user;
            chat_room quick;
            chat_ping_interval 1s;
        }
    }
}
END

for my $script (qw(ws_client resume)) {
    my $server = ChatServer->new(name => $script, config => $config)->start();

    $server->play($node, "$ChatServer::top/t/clients/$script.mjs",
                  '127.0.0.1:' . $server->port());
    $server->stop();
}

done_testing();
