
# Copyright (C) the chat module's authors

# "make help" lists the targets.  The work is done by the scripts in t/tools;
# this file says what depends on what.

BUILD =		build
PORT =		8080
SECONDS =	30
PREFIX =
NGINX_SRC =
TESTS =

MODULE =	$(BUILD)/ngx_http_chat_module.so
TOOLS =		t/tools

export BUILD CC CFLAGS LDFLAGS NGINX_SRC PORT TESTS

ifneq ($(NGINX_SRC),)
export NGINX_BINARY =	$(abspath $(BUILD))/nginx/objs/nginx
WHAT =		nginx
else
WHAT =		module
endif


.PHONY:	all build install run stop clean help

all:	build

build:
	@$(TOOLS)/deps build
	@$(TOOLS)/build module

install: build
	@$(TOOLS)/install

run:
	@$(TOOLS)/deps build run
	@$(TOOLS)/build $(WHAT)
	@$(TOOLS)/run start

stop:
	@$(TOOLS)/run stop

clean:
	@$(TOOLS)/run stop
	rm -rf $(BUILD)
