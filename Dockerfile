# The service in a container, not as root: docker build -t uniface .   See docs/deploy.md.
# Built on Ubuntu 24.04, whose own packages are .NET 10 and a libstdc++ that libtorch takes.
FROM ubuntu:24.04 AS build
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ca-certificates dotnet-sdk-10.0 nodejs npm \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# The face detector, checked by its SHA-256.
COPY setup setup
RUN UNIFACE_HOME=/opt/uniface/home setup/models.sh
COPY . .
# For this platform only: native libraries of all others would triple the image.
RUN dotnet publish src/UniFace.Cli -c Release --use-current-runtime --no-self-contained -o /opt/uniface/bin -v quiet -nologo

FROM ubuntu:24.04
# The user by number, so that Kubernetes' runAsNonRoot can tell that it is not root.
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends aspnetcore-runtime-10.0 ca-certificates libgomp1 \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 uniface \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin uniface \
 && install -d -o uniface -g uniface -m 700 /data
COPY --from=build /opt/uniface /opt/uniface
ENV UNIFACE_HOME=/opt/uniface/home DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["dotnet", "/opt/uniface/bin/UniFace.Cli.dll"]
# Nothing is answered without a key (docker exec ... serve keys create): a sidecar or a port forwarder comes from 127.0.0.1, too, and would be admin.
CMD ["serve", "--urls", "http://*:8080", "--data", "/data", "--package", "/package", "--require-key"]
