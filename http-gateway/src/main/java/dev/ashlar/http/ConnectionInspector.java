package dev.ashlar.http;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.util.concurrent.ScheduledFuture;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.impl.ConnectionBase;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The first handler of a connection. It bounds how many there are and how long a request's headers
 * may take: a client that sends a byte now and then is not idle, so the idle timeout does not end
 * it.
 *
 * <p>And it puts Netty's own HTTP/1 decoder in the place of Vert.x's, before that has seen a byte:
 * the one of Vert.x 5.2 takes {@code Content-Xength} for {@code Content-Length}, by which a request
 * can be hidden inside another. HTTP/2 is spoken by prior knowledge (RFC 9113 §3.3); the upgrade
 * from HTTP/1.1, which RFC 9113 gave up, is not offered.
 */
final class ConnectionInspector extends ChannelInboundHandlerAdapter {

  private static final String DECODER = "httpDecoder";
  private static final int HTTP2_PREFACE_BYTES = 24;

  private final GatewayOptions.Limits limits;
  private final ConnectionCounter counter;
  private String address = "";
  private boolean counted;
  private boolean chosen;
  private int prefaceBytes;
  private int requestsUnderWay;
  private @Nullable ScheduledFuture<?> headTimeout;

  ConnectionInspector(GatewayOptions.Limits limits, ConnectionCounter counter) {
    this.limits = limits;
    this.counter = counter;
  }

  /** A request's headers are complete. Called on its connection's event loop. */
  static void requestArrived(HttpServerRequest request) {
    if (request.connection() instanceof ConnectionBase connection) {
      ConnectionInspector inspector =
          connection.channel().pipeline().get(ConnectionInspector.class);
      if (inspector != null) {
        inspector.requestsUnderWay++;
        inspector.stopHeadTimeout();
        request.response().endHandler(ended -> inspector.requestsUnderWay--);
      }
    }
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    if (context.channel().isActive()) {
      opened(context);
    }
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    opened(context);
    context.fireChannelActive();
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    stopHeadTimeout();
    if (counted) {
      counted = false;
      counter.closed(address);
    }
    context.fireChannelInactive();
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    // Of HTTP/2 the first request alone is timed: what comes between requests is no header there.
    boolean http1 = !chosen || context.pipeline().get(DECODER) != null;
    if (http1 && requestsUnderWay == 0 && headTimeout == null) {
      startHeadTimeout(context);
    }
    if (!chosen && message instanceof ByteBuf bytes) {
      chooseProtocol(context, bytes);
    }
    context.fireChannelRead(message);
  }

  private void opened(ChannelHandlerContext context) {
    if (counted) {
      return;
    }
    counted = true;
    if (context.channel().remoteAddress() instanceof InetSocketAddress remote) {
      address = String.valueOf(remote.getAddress());
    }
    if (counter.opened(address)) {
      startHeadTimeout(context);
    } else {
      close(context);
    }
  }

  /**
   * Hands on as few bytes as it takes until Vert.x knows whether this is HTTP/1 or HTTP/2, then
   * makes HTTP/1 strict.
   */
  private void chooseProtocol(ChannelHandlerContext context, ByteBuf bytes) {
    ChannelPipeline pipeline = context.pipeline();
    while (pipeline.get(DECODER) == null
        && bytes.isReadable()
        && prefaceBytes < HTTP2_PREFACE_BYTES) {
      prefaceBytes++;
      context.fireChannelRead(bytes.readRetainedSlice(1));
    }
    if (pipeline.get(DECODER) != null) {
      chosen = true;
      HttpDecoderConfig strict =
          new HttpDecoderConfig()
              .setMaxInitialLineLength(limits.requestLineBytesMax())
              .setMaxHeaderSize(limits.headerBytesMax())
              .setAllowDuplicateContentLengths(false)
              .setStrictLineParsing(true)
              .setUseRfc9112TransferEncoding(true);
      // What the old decoder was fed comes out of it again and goes into the new one.
      pipeline.addAfter(DECODER, "ashlarNoUpgrade", new NoUpgrade());
      pipeline.replace(DECODER, DECODER, new HttpRequestDecoder(strict));
    } else if (prefaceBytes == HTTP2_PREFACE_BYTES) {
      chosen = true;
    }
  }

  private void startHeadTimeout(ChannelHandlerContext context) {
    headTimeout =
        context
            .executor()
            .schedule(
                () -> close(context), limits.headerTimeout().toMillis(), TimeUnit.MILLISECONDS);
  }

  private void stopHeadTimeout() {
    ScheduledFuture<?> running = headTimeout;
    headTimeout = null;
    if (running != null) {
      running.cancel(false);
    }
  }

  private static void close(ChannelHandlerContext context) {
    var unused = context.channel().close();
  }

  /** Takes the wish for HTTP/2 out of HTTP/1 requests. */
  private static final class NoUpgrade extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      if (message instanceof HttpRequest request) {
        request.headers().remove(HttpHeaderNames.UPGRADE).remove("HTTP2-Settings");
      }
      context.fireChannelRead(message);
    }
  }
}
