using UniFace.CommandLine;
using UniFace.CommandLine.Serve;

return await CommandRunner.RunAsync(CommandRunner.CreateRoot("Run the UniFace recognition service.", ServeCommand.Create()), args);
