package dev.ashlar.http;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.vertx.core.transport.Transport;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/**
 * A Vert.x transport that puts a {@link ConnectionInspector} first into every connection that it
 * accepts. Vert.x itself shows a connection that may speak HTTP/2 only after its first request has
 * been decoded, which is too late to bound or to distrust that request.
 */
final class InspectedTransport implements Transport {

  /** Marks the implementation, so that a gateway can tell whose transport it runs on. */
  interface Inspected {}

  private final Transport transport;
  private final io.vertx.core.spi.transport.Transport implementation;

  InspectedTransport(Transport transport, GatewayOptions.Limits limits) {
    this.transport = transport;
    io.vertx.core.spi.transport.Transport wrapped = transport.implementation();
    Acceptor acceptor = new Acceptor(limits, new ConnectionCounter(limits));
    this.implementation =
        (io.vertx.core.spi.transport.Transport)
            Proxy.newProxyInstance(
                InspectedTransport.class.getClassLoader(),
                new Class<?>[] {io.vertx.core.spi.transport.Transport.class, Inspected.class},
                (proxy, method, arguments) -> {
                  try {
                    Object result = method.invoke(wrapped, arguments);
                    if (method.getName().equals("configure")
                        && arguments[arguments.length - 1] instanceof ServerBootstrap server) {
                      server.handler(acceptor);
                    }
                    return result;
                  } catch (InvocationTargetException e) {
                    throw e.getCause() == null ? e : e.getCause();
                  }
                });
  }

  @Override
  public String name() {
    return transport.name();
  }

  @Override
  public boolean available() {
    return transport.available();
  }

  @Override
  public Throwable unavailabilityCause() {
    return transport.unavailabilityCause();
  }

  @Override
  public io.vertx.core.spi.transport.Transport implementation() {
    return implementation;
  }

  /** Sits in the listening channel, whose reads are the accepted connections. */
  @Sharable
  private static final class Acceptor extends ChannelInboundHandlerAdapter {

    private final GatewayOptions.Limits limits;
    private final ConnectionCounter counter;

    Acceptor(GatewayOptions.Limits limits, ConnectionCounter counter) {
      this.limits = limits;
      this.counter = counter;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      if (message instanceof Channel accepted) {
        accepted.pipeline().addFirst(new ConnectionInspector(limits, counter));
      }
      context.fireChannelRead(message);
    }
  }
}
