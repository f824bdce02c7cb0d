[proxy:0:0@vm] HYDU_create_process (utils/launch/launch.c:73): execvp error on file train (No such file or directory)
[proxy:0:0@vm] HYDU_create_process (utils/launch/launch.c:73): execvp error on file train (No such file or directory)
