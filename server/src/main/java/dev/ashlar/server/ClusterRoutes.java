package dev.ashlar.server;

import dev.ashlar.http.GatewayExtension;
import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.RaftCore;
import dev.ashlar.raft.driver.AdminCommand;
import dev.ashlar.raft.replication.WriteResult;
import dev.ashlar.raft.vertx.FormationException;
import dev.ashlar.raft.vertx.MemberView;
import dev.ashlar.raft.vertx.NodeStatus;
import dev.ashlar.raft.vertx.RaftNode;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.core.net.HostAndPort;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Optional;

/** {@code /cluster}: what the cluster is, and changes of it. */
final class ClusterRoutes implements GatewayExtension {

  private final RaftNode node;
  private final int tickMillis;
  private final ManifestRoute manifest;

  ClusterRoutes(RaftNode node, int tickMillis, ManifestRoute manifest) {
    this.node = node;
    this.tickMillis = tickMillis;
    this.manifest = manifest;
  }

  @Override
  public void addTo(Router router) {
    router.get("/cluster").handler(this::status);
    router.get("/cluster/manifest").handler(manifest::handle);
    router.post("/cluster/members").handler(this::add);
    router.delete("/cluster/members/:id").handler(this::remove);
    router.post("/cluster/transfer").handler(this::transfer);
  }

  @Override
  public JsonObject openApiPaths() {
    try (InputStream in = ClusterRoutes.class.getResourceAsStream("cluster-openapi.json")) {
      if (in == null) {
        throw new IllegalStateException("cluster-openapi.json is missing from the jar");
      }
      return new JsonObject(Buffer.buffer(in.readAllBytes()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void status(RoutingContext context) {
    node.status()
        .compose(status -> node.views().map(views -> describe(status, views)))
        .onSuccess(cluster -> json(context, 200, cluster))
        .onFailure(e -> unavailable(context, e));
  }

  private void add(RoutingContext context) {
    String address = context.request().getParam("address", "");
    String learner = context.request().getParam("learner", "false");
    HostAndPort parsed = HostAndPort.parseAuthority(address, -1);
    if (parsed == null || parsed.port() < 1 || parsed.port() > 65_535) {
      problem(context, 400, "invalid_request", "address is HOST:PORT of the member to add");
    } else if (!learner.equals("true") && !learner.equals("false")) {
      problem(context, 400, "invalid_request", "learner is true or false");
    } else {
      answer(context, node.addAt(address, learner.equals("false")));
    }
  }

  private void remove(RoutingContext context) {
    member(context, String.valueOf(context.pathParam("id")))
        .ifPresent(id -> ifMember(context, new AdminCommand.Remove(id)));
  }

  private void transfer(RoutingContext context) {
    member(context, context.request().getParam("to", ""))
        .ifPresent(id -> ifMember(context, new AdminCommand.Transfer(id)));
  }

  private void ifMember(RoutingContext context, AdminCommand command) {
    node.status()
        .onFailure(e -> problem(context, 503, "unavailable", String.valueOf(e.getMessage())))
        .onSuccess(
            status -> {
              if (status.membership().contains(command.member())) {
                answer(context, node.admin(command));
              } else {
                problem(context, 404, "not_found", "no member has the id " + command.member());
              }
            });
  }

  private Optional<MemberId> member(RoutingContext context, String text) {
    try {
      return Optional.of(MemberId.parse(text));
    } catch (IllegalArgumentException e) {
      problem(context, 400, "invalid_request", "a member is named by its id: see GET /cluster");
      return Optional.empty();
    }
  }

  private void answer(RoutingContext context, Future<WriteResult> change) {
    change
        .onFailure(
            e -> {
              boolean conflict = e instanceof FormationException;
              problem(
                  context,
                  conflict ? 409 : 503,
                  conflict ? "conflict" : "unavailable",
                  String.valueOf(e.getMessage()));
            })
        .onSuccess(
            result -> {
              if (result instanceof WriteResult.Done) {
                json(context, 202, new JsonObject().put("accepted", true));
              } else if (result instanceof WriteResult.Unknown) {
                problem(
                    context,
                    504,
                    "unknown_outcome",
                    "the change may be under way: see GET /cluster");
              } else {
                WriteResult.NotDone notDone = (WriteResult.NotDone) result;
                boolean conflict = notDone.reason() == WriteResult.Reason.BUSY;
                problem(
                    context,
                    conflict ? 409 : 503,
                    conflict ? "conflict" : "unavailable",
                    conflict
                        ? "not now: another change is under way, or this one is not possible"
                        : "not done: no leader could be reached");
              }
            });
  }

  /** The cluster as this member sees it, and what each member says of itself. */
  private JsonObject describe(NodeStatus status, Map<MemberId, MemberView> views) {
    JsonArray members = new JsonArray();
    for (MemberId member : status.membership().members()) {
      members.add(member(status, views, member));
    }
    return new JsonObject()
        .put("cluster", status.cluster().toString())
        .put("self", status.self().toString())
        .put("version", Main.Version.number())
        .put("term", status.term())
        .put("role", MemberView.role(status.role()))
        .put("leader", status.leader().map(MemberId::toString).orElse(null))
        .put("leaderAddress", status.leader().flatMap(status.membership()::address).orElse(null))
        .put("commitIndex", status.commit())
        .put("appliedIndex", status.applied())
        .put("lastIndex", status.last())
        .put("baseIndex", status.base())
        .put("installing", status.installing())
        .put(
            "scrub",
            new JsonObject()
                .put("rounds", status.scrub().rounds())
                .put("blocks", status.scrub().blocks())
                .put("bytes", status.scrub().bytes())
                .put("damaged", status.scrub().damaged())
                .put("hidden", status.scrub().hidden())
                .put("givenBack", status.scrub().givenBack())
                .put("mended", status.mended()))
        .put("changing", status.membership().target().isPresent())
        .put("members", members);
  }

  private JsonObject member(NodeStatus status, Map<MemberId, MemberView> views, MemberId member) {
    boolean learner = status.membership().learners().contains(member);
    JsonObject json =
        new JsonObject()
            .put("id", member.toString())
            .put("address", status.membership().address(member).orElse(""))
            .put("kind", learner ? "learner" : "voter")
            .put("leader", status.leader().filter(member::equals).isPresent());
    MemberView view = views.get(member);
    json.put("answers", view != null);
    if (view != null) {
      json.put("version", view.release())
          .put("role", view.role())
          .put("term", view.term())
          .put("baseIndex", view.base())
          .put("lastIndex", view.last())
          .put("appliedIndex", view.applied())
          .put("installing", view.installing());
    }
    MemberView leader = status.leader().map(views::get).orElse(null);
    RaftCore.Peer peer = leader == null ? null : leader.peers().get(member);
    if (leader != null && peer != null) {
      json.put("matchIndex", peer.match())
          .put("lagEntries", leader.last() - peer.match())
          .put("lagBytes", peer.lagBytes())
          .put("silentMillis", peer.silentTicks() * tickMillis)
          .put("needsSnapshot", peer.needsSnapshot());
    }
    return json;
  }

  static void unavailable(RoutingContext context, Throwable why) {
    problem(context, 503, "unavailable", String.valueOf(why.getMessage()));
  }

  private static void json(RoutingContext context, int status, JsonObject body) {
    context
        .response()
        .setStatusCode(status)
        .putHeader("Content-Type", "application/json")
        .end(body.toBuffer());
  }

  private static void problem(RoutingContext context, int status, String code, String detail) {
    if (status == 503) {
      context.response().putHeader("Retry-After", "1");
    }
    context
        .response()
        .setStatusCode(status)
        .putHeader("Content-Type", "application/problem+json")
        .end(
            new JsonObject()
                .put("type", "about:blank")
                .put("title", code.replace('_', ' '))
                .put("status", status)
                .put("code", code)
                .put("detail", detail)
                .toBuffer());
  }
}
