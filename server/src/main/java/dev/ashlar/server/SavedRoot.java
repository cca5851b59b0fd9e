package dev.ashlar.server;

import dev.ashlar.block.Cid;
import dev.ashlar.block.root.Pin;
import dev.ashlar.block.root.PinException;
import dev.ashlar.block.root.Pins;
import dev.ashlar.block.root.Reference;
import dev.ashlar.block.root.References;
import dev.ashlar.block.root.RootKey;
import dev.ashlar.block.root.RootRecord;
import dev.ashlar.block.root.RootStore;
import dev.ashlar.server.client.ServerClient;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.util.Locale;

/**
 * A pin or reference as a line of a manifest (docs/format.md, "Backup").
 *
 * @param json {@code pin}, {@code mode}, {@code name}; or {@code ref}, {@code cid}
 */
record SavedRoot(JsonObject json) {

  static JsonObject toJson(RootRecord root) {
    if (root.key().kind() == RootKey.Kind.PIN) {
      Pin pin = Pin.of(root);
      return new JsonObject()
          .put("pin", pin.cid().toString())
          .put("mode", pin.mode().name().toLowerCase(Locale.ROOT))
          .put("name", pin.name());
    }
    Reference reference = Reference.of(root);
    return new JsonObject().put("ref", reference.name()).put("cid", reference.cid().toString());
  }

  /** Whether a line of a manifest is one. */
  static boolean isOne(JsonObject line) {
    return line.containsKey("pin") || line.containsKey("ref");
  }

  /** Sets it in a store; false where a reference leads elsewhere there: that stays. */
  boolean restoreTo(RootStore roots) {
    if (json.containsKey("ref")) {
      Cid cid = Cid.parse(json.getString("cid"));
      References references = new References(roots);
      String name = json.getString("ref");
      return references.set(name, new References.Expected.Absent(), cid)
          || references.get(name).filter(r -> r.cid().equals(cid)).isPresent();
    }
    Pin.Mode mode = Pin.Mode.valueOf(json.getString("mode").toUpperCase(Locale.ROOT));
    try {
      new Pins(roots).add(new Pin(Cid.parse(json.getString("pin")), mode, json.getString("name")));
      return true;
    } catch (PinException e) {
      return false;
    }
  }

  /** As {@link #restoreTo}, through a server. */
  boolean restoreTo(ServerClient server) throws IOException {
    if (json.containsKey("ref")) {
      String path = "/refs/" + ServerClient.encoded(json.getString("ref"));
      try {
        server.send("PUT", path + "?expected=none&cid=" + json.getString("cid"));
        return true;
      } catch (IOException e) {
        return server.send("GET", path).getString("cid").equals(json.getString("cid"));
      }
    }
    server.sendAndWait(
        "PUT",
        "/pins/"
            + json.getString("pin")
            + "?mode="
            + json.getString("mode")
            + "&name="
            + ServerClient.encoded(json.getString("name")));
    return true;
  }
}
