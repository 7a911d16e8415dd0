"""A window that takes dropped files, as a file manager does: it copies them into a folder and prints each name."""

import os
import shutil
import sys
from urllib.parse import unquote, urlparse

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, GLib, Gtk  # noqa: E402

into, left, top = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
window = Gtk.Window(title="drop target")
window.set_default_size(160, 160)
window.move(left, top)
window.drag_dest_set(Gtk.DestDefaults.ALL, [], Gdk.DragAction.COPY)
window.drag_dest_add_uri_targets()


def copy(paths):
    for path in paths:
        name = os.path.basename(path)
        shutil.copy(path, os.path.join(into, name))
        print("took", name, flush=True)


def received(_window, _context, _x, _y, data, _info, _time):
    paths = [unquote(urlparse(uri).path) for uri in data.get_uris()]
    # A file manager copies after the drag has ended.
    GLib.timeout_add(300, lambda: copy(paths))


window.connect("drag-data-received", received)
window.connect("map-event", lambda *_: print("ready", flush=True))
window.connect("destroy", Gtk.main_quit)
window.show_all()
Gtk.main()
