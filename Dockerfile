# The service in a container, not as root: docker build -t uniface .   See docs/deploy.md.
# Built on Ubuntu 24.04, whose own packages are .NET 10 and a libstdc++ that libtorch takes.
FROM ubuntu:24.04 AS build
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ca-certificates dotnet-sdk-10.0 nodejs npm \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# The face detector, checked by its SHA-256.
RUN UNIFACE_HOME=/opt/uniface/home setup/models.sh
RUN dotnet publish src/UniFace.Cli -c Release -o /opt/uniface/bin -v quiet -nologo

FROM ubuntu:24.04
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends aspnetcore-runtime-10.0 libgomp1 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin uniface \
 && install -d -o uniface -g uniface -m 700 /data
COPY --from=build /opt/uniface /opt/uniface
ENV UNIFACE_HOME=/opt/uniface/home DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
USER uniface
WORKDIR /data
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["dotnet", "/opt/uniface/bin/UniFace.Cli.dll"]
# Within a container all requests come from beyond it: nothing is answered without a key (docker exec ... serve keys create).
CMD ["serve", "--urls", "http://*:8080", "--data", "/data", "--package", "/data/package"]
