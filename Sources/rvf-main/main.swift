import RVFCommand

CommandLineTool.main()
