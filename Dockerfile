# The service in a container, not as root: docker build -t uniface .   With UniFace Studio: docker build --target studio -t uniface-studio .
# See docs/deploy.md. Ubuntu 24.04 has packages of .NET 10, and a libstdc++ that libtorch accepts.
FROM ubuntu:24.04 AS build
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ca-certificates dotnet-sdk-10.0 nodejs npm \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# The face detector, checked by its SHA-256.
COPY setup setup
RUN UNIFACE_HOME=/opt/uniface/home setup/models.sh
COPY . .

# Published for this platform only: the native libraries of all platforms would triple the image.
FROM build AS build-service
RUN dotnet publish src/UniFace.AspNetCore.Host -c Release --use-current-runtime --no-self-contained -o /opt/uniface/bin -v quiet -nologo

FROM build AS build-studio
RUN dotnet publish src/UniFace.Cli -c Release --use-current-runtime --no-self-contained -o /opt/uniface/bin -v quiet -nologo

# The user by number, so that Kubernetes' runAsNonRoot accepts it.
FROM ubuntu:24.04 AS base
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends aspnetcore-runtime-10.0 ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 uniface \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin uniface \
 && install -d -o uniface -g uniface -m 700 /data
ENV UNIFACE_HOME=/opt/uniface/home DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
WORKDIR /data
VOLUME /data
EXPOSE 8080
# --require-key: a sidecar or a port forwarder connects from 127.0.0.1 and would otherwise be admin.
CMD ["serve", "--urls", "http://*:8080", "--data", "/data", "--package", "/package", "--require-key"]

FROM base AS studio
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libgomp1 \
 && rm -rf /var/lib/apt/lists/* && ln -s /opt/uniface/bin/UniFace.Cli /usr/local/bin/uniface
COPY --from=build-studio /opt/uniface /opt/uniface
USER 10001:10001
ENTRYPOINT ["uniface"]

FROM base AS service
RUN ln -s /opt/uniface/bin/UniFace.AspNetCore.Host /usr/local/bin/uniface
COPY --from=build-service /opt/uniface /opt/uniface
USER 10001:10001
ENTRYPOINT ["uniface"]
