using UniFace.Cli;
using UniFace.Cli.Serve;

return await CommandRunner.RunAsync(CommandRunner.CreateRoot("Run the UniFace recognition service.", ServeCommand.Create()), args);
