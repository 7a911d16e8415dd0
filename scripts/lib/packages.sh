# System packages: the one place that names them. Sourced by setup.sh; its hash keys the set-up's stamp.

# What the window, the compiler and the build need.
APT_RUN="build-essential ca-certificates curl git pkg-config
  libwebkit2gtk-4.1-dev libayatana-appindicator3-dev librsvg2-dev libdbus-1-dev dbus xdg-utils"
DNF_RUN="gcc gcc-c++ make ca-certificates curl git pkgconf-pkg-config
  webkit2gtk4.1-devel libayatana-appindicator-gtk3-devel librsvg2-devel dbus-devel dbus-daemon xdg-utils"
BREW_RUN="pkgconf"

# What the journeys drive: a browser, a display without a screen, the window's driver, a notification service.
APT_TEST="xvfb xauth dbus-daemon webkit2gtk-driver python3 python3-dbus python3-gi python3-dbusmock
  gir1.2-gtk-3.0 xdotool fakeroot desktop-file-utils appstream libfaketime fonts-dejavu-core"
DNF_TEST="xorg-x11-server-Xvfb xorg-x11-xauth /usr/bin/WebKitWebDriver python3 python3-dbus python3-gobject python3-dbusmock
  gtk3 xdotool dejavu-sans-fonts chromium"
BREW_TEST=""

# Only where node is missing or too old.
APT_NODE="nodejs npm"
DNF_NODE="nodejs npm"
BREW_NODE="node"

# Only where rustup cannot add the wasm target: Debian's compiler with the sources of its standard library.
APT_WASM="rustc-web cargo-web rust-web-src"

# Ubuntu's chromium package only points to a snap, which does not start in a container: see ensure_browser.
APT_BROWSER="chromium"

NODE_MIN=18
WASM_TARGET=wasm32-unknown-unknown
