# The front door. `make` builds, `make demo` shows, `make test` proves, `make check`
# reviews; `make fuzz`, `make install`, `make deb` and `make clean` do as they say.
# Every step is skipped where it is done and goes on where it was interrupted.
PRESET ?= default
BUILD  ?= $(if $(filter default,$(PRESET)),build,build-$(PRESET))
PREFIX ?= /usr/local

.PHONY: all demo test test-peers check check-arm64 fuzz install deb clean
all:
	@scripts/packages.sh build
	@scripts/configure.sh $(PRESET) $(BUILD)
	@cmake --build $(BUILD)
demo: all
	@scripts/demo.sh $(BUILD)
test: all
	@scripts/models.sh $(BUILD)
	@ctest --test-dir $(BUILD) --output-on-failure
test-peers: all
	@scripts/packages.sh peers
	@scripts/peers.sh
	@ctest --test-dir $(BUILD) --output-on-failure -R 'e2e/(serve|clients|page)'
check: all
	@scripts/packages.sh check
	@scripts/check.sh
check-arm64:
	@scripts/cross.sh
fuzz:
	@scripts/packages.sh check
	@$(MAKE) --no-print-directory all PRESET=fuzz BUILD=build-fuzz
	@scripts/fuzz.sh build-fuzz
install:
	@cmake --install $(BUILD) --prefix $(PREFIX)
	@ldconfig 2> /dev/null || true
deb:
	@scripts/packages.sh check
	@$(MAKE) --no-print-directory all PRESET=release BUILD=build-release
	@cpack --config build-release/CPackConfig.cmake -G DEB -B build-release
clean:
	@rm -rf build build-*
